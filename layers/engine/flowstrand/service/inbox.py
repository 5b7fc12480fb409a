"""The inbox: where a report or a request goes when too many others are being appended at once (fan-in).

Only the resumer drains it, into its own commits. What comes directly and what comes by the inbox is checked against the same
state, so that nothing is applied twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

from flowstrand.directory.port import Item
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import Conflict, PayloadTooLarge, Unavailable
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.observability import meter, metrics
from flowstrand.queues.messages import Wake
from flowstrand.service import append, reports, requests
from flowstrand.service.container import Services
from flowstrand.service.reports import Report
from flowstrand.service.requests import Request
from flowstrand.service.settings import Settings

Left: TypeAlias = Report | Request
"""What may be left in an inbox."""

_BATCH = 100
_POLL_MS, _MAX_POLL_MS = 50.0, 400.0


def put(services: Services, tip: append.Tip, left: Left) -> None:
    """Leave something for the resumer, and wake it. A repetition is the same item."""
    key = tip.key
    services.directory.put(_partition(key), _name(left), _dump(left))
    wake = Wake(org=key.org, execution_id=key.execution_id, sequence=tip.state.sequence + 1)
    services.control.send([wake])


def holds(services: Services, key: LogKey, left: Left) -> bool:
    """Whether it is still waiting."""
    return services.directory.get(_partition(key), _name(left)) is not None


def leave(services: Services, tip: append.Tip, left: Left) -> bool:
    """Leave something for the resumer, and wait until it has been taken; false where it was not in time.

    What was taken is in the log, or has been dropped: only then is there an answer.
    """
    put(services, tip, left)
    meter.count(metrics.INBOX_REPORTS)
    give_up_ms = services.clock.now_ms() + services.settings.inbox_wait_ms
    delay_ms = _POLL_MS
    while services.clock.now_ms() < give_up_ms:
        if not holds(services, tip.key, left):
            return True
        services.clock.sleep_ms(delay_ms)
        # Growing, since a crowd that waits must not keep the resumer from the store.
        delay_ms = min(_MAX_POLL_MS, delay_ms * 3 / 2)
    return False


def wait_for(
    services: Services, tip: append.Tip, report: Report, answer: Callable[[], int | None], *, busy: str
) -> int:
    """Leave a report for the resumer, and wait for the sequence of its event.

    Args:
        answer: looks that up; None while it is not in the log.
        busy: what is said where it was not taken in time.

    Raises:
        Conflict: `STALE_ATTEMPT`: the resumer dropped it.
        Unavailable: `BUSY`: it was not taken in time; report it again.
    """
    is_taken = leave(services, tip, report)
    sequence = answer()  # in any case: whoever took it may have ended before it deleted the item
    if sequence is not None:
        return sequence
    if is_taken:
        raise Conflict(f"attempt {report.attempt} is no longer running", code="STALE_ATTEMPT")
    raise Unavailable(busy, code="BUSY", retry_after_s=1)


def drain(services: Services, key: LogKey) -> bool:
    """Append everything in the inbox, each item once, then delete what was taken; says whether there was anything.

    An item that no longer applies (a stale attempt, an ended execution, more than an attempt may stream) is dropped; its reporter finds that out by
    asking the log.
    """
    with services.turnstile.alone(_inbox_of(key)):
        return _drain(services, key)


def _drain(services: Services, key: LogKey) -> bool:
    had_any = False
    while found := services.directory.scan(_partition(key), limit=_BATCH):
        had_any = True
        taking = _Taking(_fitting(found, services.settings.max_commit_bytes), services.settings)
        append.transact(services, key, taking.decide)
        services.directory.delete_many([(_partition(key), name) for name in taking.ours])
        if len(taking.left) == len(found) < _BATCH:
            break
    return had_any


class _Taking:
    """What one drain makes of the items that it found.

    Attributes:
        ours: the items that it is to delete: those that it has appended, and those that did not apply when it began. What
            somebody else has appended meanwhile is theirs; should they end before they delete it, it does not apply when
            the next drain begins.
    """

    def __init__(self, items: Sequence[Item], settings: Settings) -> None:
        self._settings = settings
        self.left = {item.key: _parse(item.data) for item in items}
        self.ours: Sequence[str] = ()
        self._stale: frozenset[str] | None = None

    def decide(self, draft: Draft) -> None:
        """Apply what applies."""
        applied = {name for name, left in self.left.items() if _applies(draft, left, self._settings)}
        if self._stale is None:
            self._stale = frozenset(self.left.keys() - applied)
        self.ours = [name for name in self.left if name in applied or name in self._stale]


def _applies(draft: Draft, left: Left, settings: Settings) -> bool:
    """Apply a report or a request; says whether it still applied."""
    before = draft.state.sequence
    try:
        if isinstance(left, Report):
            reports.decide(draft, left, settings)
            return True
        requests.decide(draft, left)
    except (Conflict, PayloadTooLarge):
        return False
    return draft.state.sequence > before


def _name(left: Left) -> str:
    return reports.request_id(left) if isinstance(left, Report) else requests.item_key(left)


def _dump(left: Left) -> JsonObject:
    return reports.dump(left) if isinstance(left, Report) else requests.dump(left)


def _parse(body: JsonObject) -> Left:
    return requests.parse(body) if body.get("type") in requests.TYPES else reports.parse(body)


def _fitting(items: Sequence[Item], max_bytes: int) -> Sequence[Item]:
    """As many items from the beginning as one commit may hold, at least one."""
    size = 0
    for count, item in enumerate(items):
        size += len(json.dumps(item.data))
        if size > max_bytes:
            return items[: max(1, count)]
    return items


def _inbox_of(key: LogKey) -> LogKey:
    """What drains of one process wait at; the log itself may be written meanwhile."""
    return LogKey(key.org, ExecutionId(f"{key.execution_id}.inbox"))


def _partition(key: LogKey) -> str:
    return f"inbox#{key}"
