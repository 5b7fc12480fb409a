"""Leases in the directory: on an execution while its turn runs `ctx.run` functions, and heartbeats of task attempts.

Neither decides anything: the log is the fence. They only keep work from being done twice beside itself, and a slow
worker from being given up.
"""

from __future__ import annotations

from contextlib import suppress

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, PreconditionFailed
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.log.port import LogKey

_DAY_MS = 86_400_000
_ONLY = "-"
"""The key of the one item in a partition: each lease has its own, so that no partition is hot."""


class LeaseHeld(Exception):
    """Another process runs this execution's turn; `for_ms` is how long its lease still lasts."""

    def __init__(self, for_ms: int) -> None:
        super().__init__(f"leased for another {for_ms} ms")
        self.for_ms = for_ms


class TurnLease:
    """The right to execute `ctx.run` functions of one execution, for a while, renewable."""

    def __init__(self, directory: Directory, key: LogKey, holder: str, duration_ms: int) -> None:
        self._directory = directory
        self._partition = f"turn-lease#{key}"
        self._holder = holder
        self._duration_ms = duration_ms
        self._version = 0
        """Of the item, as far as is known here; 0 where there may be none."""

    def acquire(self, now_ms: int) -> None:
        """Take the lease, or renew one's own: one write, unless somebody else has had it.

        Raises:
            LeaseHeld: somebody else has it.
        """
        try:
            self._put(now_ms, self._version)
        except PreconditionFailed:
            self._take_over(now_ms)

    def release(self) -> None:
        """Give it back early."""
        try:
            self._directory.delete(self._partition, _ONLY, expect=self._version)
        except PreconditionFailed:  # it had run out and is somebody else's now, or the reply to a renewal was lost
            item = self._directory.get(self._partition, _ONLY)
            if item and item.data.get("holder") == self._holder:
                with suppress(PreconditionFailed):
                    self._directory.delete(self._partition, _ONLY, expect=item.version)
        self._version = 0

    def _take_over(self, now_ms: int) -> None:
        """Take what somebody else has had, or what is one's own after all: the reply to a write may have been lost."""
        item = self._directory.get(self._partition, _ONLY)
        until_ms = _milliseconds(item.data.get("until")) if item else 0
        if item and item.data.get("holder") != self._holder and until_ms > now_ms:
            raise LeaseHeld(until_ms - now_ms)
        try:
            self._put(now_ms, item.version if item else 0)
        except PreconditionFailed:
            raise LeaseHeld(self._duration_ms) from None

    def _put(self, now_ms: int, version: int) -> None:
        ends_ms = now_ms + self._duration_ms
        item = self._directory.put(
            self._partition,
            _ONLY,
            {"holder": self._holder, "until": ends_ms},
            expect=version,
            expires_at_ms=ends_ms + _DAY_MS,
        )
        self._version = item.version


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """What an attempt said last.

    Attributes:
        until_ms: until when its lease lasts by that.
        progress: how much of the work is done, from 0 to 1, if it said so.
        details: for the next attempt.
    """

    attempt: int
    at_ms: int
    until_ms: int
    progress: float | None = None
    details: JsonValue = None


def heartbeat(directory: Directory, task_id: str, beat: Heartbeat) -> None:
    """The attempt's worker is alive."""
    until_ms = beat.until_ms
    data: JsonObject = {"attempt": beat.attempt, "until": until_ms, "at": beat.at_ms}
    if beat.details is not None:
        data["details"] = beat.details
    if beat.progress is not None:
        data["progress"] = beat.progress
    directory.put(f"heartbeat#{task_id}", _ONLY, data, expires_at_ms=until_ms + _DAY_MS)


def last_heartbeat(directory: Directory, task_id: str, *, attempt: int | None = None) -> Heartbeat | None:
    """The newest heartbeat of an attempt, by default of any; None where there was none, or long ago."""
    item = directory.get(f"heartbeat#{task_id}", _ONLY)
    if item is None or attempt not in (None, item.data.get("attempt")):
        return None
    progress = item.data.get("progress")
    return Heartbeat(
        attempt=_milliseconds(item.data.get("attempt")),
        at_ms=_milliseconds(item.data.get("at")),
        until_ms=_milliseconds(item.data.get("until")),
        progress=float(progress) if isinstance(progress, int | float) else None,
        details=item.data.get("details"),
    )


def last_details(directory: Directory, task_id: str) -> JsonValue:
    """What the newest heartbeat of any attempt has said; None where it said nothing, or long ago."""
    beat = last_heartbeat(directory, task_id)
    return beat.details if beat else None


def extended_to_ms(directory: Directory, task_id: str, *, attempt: int) -> int:
    """Until when heartbeats have extended the attempt's lease; 0 where none has."""
    beat = last_heartbeat(directory, task_id, attempt=attempt)
    return beat.until_ms if beat else 0


def is_rearmed(directory: Directory, name: str, at_ms: int) -> bool:
    """Whether the due message `name` has been sent again for `at_ms` or later."""
    item = directory.get(f"rearmed#{name}", _ONLY)
    return item is not None and _milliseconds(item.data.get("at")) >= at_ms


def note_rearmed(directory: Directory, name: str, at_ms: int) -> None:
    """The due message `name` has been sent again for `at_ms`. Note it only then: one that is noted is not sent again."""
    directory.put(f"rearmed#{name}", _ONLY, {"at": at_ms}, expires_at_ms=at_ms + _DAY_MS)


def _milliseconds(value: object) -> int:
    return value if isinstance(value, int) else 0
