"""What operators have said of queues: pauses and limits. One row each in the directory.

{org}#queues             {queue}         what holds for it; nothing at all for most
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item, PreconditionFailed
from flowstrand.engine.ids import OrgId
from flowstrand.errors import Unavailable
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.clock import Clock

STALE_AFTER_MS = 2_000
"""For how long a process goes by what it has read: how late, at most, it learns of a change."""
_TRIES = 10
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueControl:
    """What holds for a queue.

    Attributes:
        max_tasks_per_second: how many attempts begin in a second, on average; None for any number.
        max_concurrent: how many attempts run at the same time; None for any number.
        is_paused: none begin.
        changed_at_ms: when somebody last said so; 0 where nobody has.
    """

    max_tasks_per_second: float | None = None
    max_concurrent: int | None = None
    is_paused: bool = False
    changed_at_ms: int = 0

    @property
    def is_limited(self) -> bool:
        """Whether attempts are counted."""
        return self.max_tasks_per_second is not None or self.max_concurrent is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to hold from now on. What is None here stays as it is."""

    max_tasks_per_second: float | None = None
    max_concurrent: int | None = None
    is_paused: bool | None = None
    without_rate: bool = False
    without_concurrency: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    """Queues by name; there is more where `next_after` is there."""

    queues: tuple[tuple[str, QueueControl], ...]
    next_after: str | None


class QueueControls:
    """Thread-safe. Remembers what it has read for a moment."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._read: dict[tuple[OrgId, str], tuple[int, QueueControl]] = {}

    def get(self, org: OrgId, queue: str, *, max_age_ms: int = STALE_AFTER_MS) -> QueueControl:
        """What holds for a queue, or held `max_age_ms` ago."""
        now_ms = self._clock.now_ms()
        with self._lock:
            read_at_ms, control = self._read.get((org, queue), (None, QueueControl()))
        if read_at_ms is not None and now_ms - read_at_ms < max_age_ms:
            return control
        item = self._directory.get(_partition(org), queue)
        return self._remember(org, queue, _of_json(item))

    def change(self, org: OrgId, queue: str, change: Change) -> QueueControl:
        """Let it hold from now on; returns all that then holds.

        Raises:
            Unavailable: too many changed it at the same time (`BUSY`).
        """
        for _ in range(_TRIES):
            item = self._directory.get(_partition(org), queue)
            control = _changed(_of_json(item), change, self._clock.now_ms())
            version = item.version if item else 0
            with suppress(PreconditionFailed):
                self._directory.put(_partition(org), queue, _to_json(control), expect=version)
                return self._remember(org, queue, control)
        raise Unavailable("the queue is being changed by many at once", code="BUSY", retry_after_s=1)

    def name(self, org: OrgId, queue: str) -> None:
        """Let the queue be listed."""
        with suppress(PreconditionFailed):
            self._directory.put(_partition(org), queue, {}, expect=0)

    def list(self, org: OrgId, *, after: str = "", limit: int = 50) -> QueuePage:
        """Queues with a name beyond `after` that a worker has named, or an operator."""
        items = self._directory.scan(_partition(org), after=after, limit=limit + 1)
        return QueuePage(
            queues=tuple((item.key, _of_json(item)) for item in items[:limit]),
            next_after=items[limit - 1].key if len(items) > limit else None,
        )

    def _remember(self, org: OrgId, queue: str, control: QueueControl) -> QueueControl:
        with self._lock:
            self._read.pop((org, queue), None)
            self._read[org, queue] = (self._clock.now_ms(), control)
            while len(self._read) > _REMEMBERED:
                del self._read[next(iter(self._read))]
        return control


def _changed(control: QueueControl, change: Change, now_ms: int) -> QueueControl:
    rate = control.max_tasks_per_second if change.max_tasks_per_second is None else change.max_tasks_per_second
    at_once = control.max_concurrent if change.max_concurrent is None else change.max_concurrent
    return replace(
        control,
        max_tasks_per_second=None if change.without_rate else rate,
        max_concurrent=None if change.without_concurrency else at_once,
        is_paused=control.is_paused if change.is_paused is None else change.is_paused,
        changed_at_ms=now_ms,
    )


def _to_json(control: QueueControl) -> JsonObject:
    said: dict[str, JsonValue] = {
        "maxTasksPerSecond": control.max_tasks_per_second,
        "maxConcurrent": control.max_concurrent,
        "paused": control.is_paused,
        "changedAtMs": control.changed_at_ms,
    }
    return {name: value for name, value in said.items() if value is not None}


def _of_json(item: Item | None) -> QueueControl:
    said = item.data if item else {}
    rate, at_once = said.get("maxTasksPerSecond"), said.get("maxConcurrent")
    changed_at_ms = said.get("changedAtMs")
    return QueueControl(
        max_tasks_per_second=float(rate) if isinstance(rate, int | float) else None,
        max_concurrent=at_once if isinstance(at_once, int) else None,
        is_paused=said.get("paused") is True,
        changed_at_ms=changed_at_ms if isinstance(changed_at_ms, int) else 0,
    )


def _partition(org: OrgId) -> str:
    return f"{org}#queues"
