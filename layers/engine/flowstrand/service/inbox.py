"""The inbox: where a report goes when too many others are being appended at once (fan-in).

Only the resumer drains it, into its own commits. Direct and inboxed reports are checked against the same state, so that
nothing is applied twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from flowstrand.directory.port import Item
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import Conflict, Unavailable
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import Wake
from flowstrand.service import append, reports
from flowstrand.service.container import Services
from flowstrand.service.reports import Report

_BATCH = 100
_POLL_MS = 50


def put(services: Services, tip: append.Tip, report: Report) -> None:
    """Leave a report for the resumer, and wake it. A repetition is the same item."""
    key = tip.key
    services.directory.put(_partition(key), reports.request_id(report), reports.dump(report))
    wake = Wake(org=key.org, execution_id=key.execution_id, sequence=tip.state.sequence + 1)
    services.control.send([wake])


def holds(services: Services, key: LogKey, report: Report) -> bool:
    """Whether the report is still waiting."""
    return services.directory.get(_partition(key), reports.request_id(report)) is not None


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
    put(services, tip, report)
    give_up_ms = services.clock.now_ms() + services.settings.inbox_wait_ms
    while services.clock.now_ms() < give_up_ms:
        if not holds(
            services, tip.key, report
        ):  # what was taken is in the log, or is dropped: only now is there an answer
            sequence = answer()
            if sequence is None:
                raise Conflict(f"attempt {report.attempt} is no longer running", code="STALE_ATTEMPT")
            return sequence
        services.clock.sleep_ms(_POLL_MS)
    sequence = answer()  # whoever took it may have ended before it deleted the item
    if sequence is None:
        raise Unavailable(busy, code="BUSY", retry_after_s=1)
    return sequence


def drain(services: Services, key: LogKey) -> bool:
    """Append everything in the inbox, each item once, then delete what was taken; says whether there was anything.

    An item that no longer applies (a stale attempt, an ended execution) is dropped; its reporter finds that out by
    asking the log.
    """
    with services.turnstile.alone(_inbox_of(key)):
        return _drain(services, key)


def _drain(services: Services, key: LogKey) -> bool:
    had_any = False
    while found := services.directory.scan(_partition(key), limit=_BATCH):
        had_any = True
        taking = _Taking(_fitting(found, services.settings.max_commit_bytes))
        append.transact(services, key, taking.decide)
        services.directory.delete_many([(_partition(key), name) for name in taking.ours])
        if len(taking.reports) == len(found) < _BATCH:
            break
    return had_any


class _Taking:
    """What one drain makes of the items that it found.

    Attributes:
        ours: the items that it is to delete: those that it has appended, and those that did not apply when it began. What
            somebody else has appended meanwhile is theirs; should they end before they delete it, it does not apply when
            the next drain begins.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.reports = {item.key: reports.parse(item.data) for item in items}
        self.ours: Sequence[str] = ()
        self._stale: frozenset[str] | None = None

    def decide(self, draft: Draft) -> None:
        """Apply what applies."""
        applied = {name for name, report in self.reports.items() if _applies(draft, report)}
        if self._stale is None:
            self._stale = frozenset(self.reports.keys() - applied)
        self.ours = [name for name in self.reports if name in applied or name in self._stale]


def _applies(draft: Draft, report: Report) -> bool:
    """Apply a report; says whether it still applied."""
    try:
        reports.decide(draft, report)
    except Conflict:
        return False
    return True


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
