"""Reading a log: pages of history, and the long-poll that waits for more. Strongly consistent.

Every transport reads through `page`, so that all show the same events in the same order (laws 1 and 2).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import field

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import Event, EventType
from flowstrand.engine.events.codec import public_data
from flowstrand.engine.ids import ExecutionId, OrgId, is_standalone_task
from flowstrand.engine.names import is_id
from flowstrand.errors import Gone, InvalidInput, LogCorrupted
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.service import payloads
from flowstrand.service.append import execution_not_found
from flowstrand.service.container import Services
from flowstrand.service.poll_delay import PollDelay
from flowstrand.service.task_address import task_not_found

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000

_FILTERED_SCAN = 1_000
"""How many events one page looks at, at most, when a filter drops some of them."""
_PAGE_BYTES = 4 * 1024 * 1024
"""A page ends before its data exceeds this, so that it fits into one Lambda response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Consecutive events of one log, those that a filter let through.

    Attributes:
        events: in log order, payloads inlined.
        next_after: the last event looked at; where the next page starts.
        up_to_date: the log held nothing beyond `next_after` when it was read.
        closed: the log has its terminal event. With `up_to_date`, nothing will ever follow.
        size: of the events' data, in bytes of JSON.
    """

    events: tuple[Event, ...]
    next_after: int
    up_to_date: bool
    closed: bool
    size: int = field(default=0, compare=False)

    @property
    def is_final(self) -> bool:
        """Nothing follows this page, now or ever (law 4)."""
        return self.closed and self.up_to_date


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEnd:
    """Where a log ends now: its last sequence, and whether that is a terminal event."""

    sequence: int
    closed: bool


def end(services: Services, org: OrgId, execution_id: ExecutionId, *, after: int = 0) -> LogEnd:
    """Where the log ends, given that a reader stands at `after`.

    Raises:
        NotFound: no such log in this org (`EXECUTION_NOT_FOUND`, `TASK_NOT_FOUND`).
        InvalidInput: `after` lies beyond the end (`POSITION_BEYOND_TAIL`).
        Gone: what follows `after` is not kept any more (`EXECUTION_EXPIRED` from the beginning, else `CURSOR_EXPIRED`).
    """
    tail = _reaching(services, LogKey(org, execution_id), after)
    return LogEnd(sequence=tail.last_sequence, closed=_is_terminal(unpack_events(tail)))


def tail(services: Services, org: OrgId, execution_id: ExecutionId) -> LogEnd:
    """Where the log ends, whatever of it is still kept.

    Raises:
        NotFound: no such log in this org (`EXECUTION_NOT_FOUND`, `TASK_NOT_FOUND`).
    """
    newest = _newest(services, LogKey(org, execution_id))
    return LogEnd(sequence=newest.last_sequence, closed=_is_terminal(unpack_events(newest)))


def page(
    services: Services,
    org: OrgId,
    execution_id: ExecutionId,
    *,
    after: int,
    limit: int = DEFAULT_LIMIT,
    types: Collection[EventType] | None = None,
    is_inlined: bool = True,
) -> HistoryPage:
    """The events beyond `after`, at most `limit`; fewer where the page grows too large or `types` drops some.

    Args:
        is_inlined: whether large values are read, too, and not left as references.

    Raises:
        NotFound: no such log in this org (`EXECUTION_NOT_FOUND`, `TASK_NOT_FOUND`).
        InvalidInput: `after` lies beyond the end (`POSITION_BEYOND_TAIL`), or `limit` is out of range.
        Gone: what follows `after` is not kept any more (`EXECUTION_EXPIRED` from the beginning, else `CURSOR_EXPIRED`).
        LogCorrupted: the log is not contiguous.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput(f"limit must be from 1 to {MAX_LIMIT}", code="INVALID_LIMIT")
    key = LogKey(org, execution_id)
    tail = _reaching(services, key, after)
    if tail.last_sequence == after:
        return HistoryPage(events=(), next_after=after, up_to_date=True, closed=_is_terminal(unpack_events(tail)))
    try:
        scanned = _read(services, key, tail, after=after, limit=limit if types is None else _FILTERED_SCAN)
    except LogCorrupted:
        _reaching(services, key, after)  # perhaps it has expired since its tail was read
        raise
    closed = _is_terminal(scanned) or _is_terminal(unpack_events(tail))
    last_known = max(tail.last_sequence, scanned[-1].sequence)
    of = services if is_inlined else None
    return _cut(of, org, scanned, limit=limit, types=types, last_known=last_known, closed=closed)


def news(
    services: Services,
    org: OrgId,
    execution_id: ExecutionId,
    *,
    after: int,
    limit: int = DEFAULT_LIMIT,
    types: Collection[EventType] | None = None,
    consistent: bool = False,
) -> HistoryPage:
    """As `page`, for a reader whose last page was up to date and not closed, and ended with `after`: one query.

    Args:
        consistent: otherwise the newest events may be missing, which is half as expensive; those before them never are.

    Raises:
        LogCorrupted: the log is not contiguous.
    """
    key, most = LogKey(org, execution_id), limit if types is None else _FILTERED_SCAN
    commits = services.log.news(key, after=after, limit=most, consistent=consistent)
    found = _contiguous(key, commits, after)
    if not found:
        return HistoryPage(events=(), next_after=after, up_to_date=True, closed=False)
    closed = _is_terminal(found)
    # As many as were asked for: there may be more.
    last_known = found[-1].sequence + (len(found) >= most and not closed)
    return _cut(services, org, found[:most], limit=limit, types=types, last_known=last_known, closed=closed)


def wait(
    services: Services,
    org: OrgId,
    execution_id: ExecutionId,
    *,
    after: int,
    limit: int = DEFAULT_LIMIT,
    wait_s: float,
    types: Collection[EventType] | None = None,
) -> HistoryPage:
    """As `page`, but waits up to `wait_s` seconds for the first event that `types` lets through.

    Returns without events when the time has passed, or at once when nothing can follow.

    Raises: as `page`.
    """
    deadline_ms = services.clock.now_ms() + round(wait_s * 1_000)
    delay = PollDelay()
    found = page(services, org, execution_id, after=after, limit=limit, types=types)
    while not found.events and not found.is_final:
        if not found.up_to_date:
            found = page(services, org, execution_id, after=found.next_after, limit=limit, types=types)
            continue
        remaining_ms = deadline_ms - services.clock.now_ms()
        if remaining_ms <= 0:
            break
        services.clock.sleep_ms(min(delay.next_ms(), remaining_ms))
        found = news(
            services, org, execution_id, after=found.next_after, limit=limit, types=types, consistent=True
        )
    return found


def _reaching(services: Services, key: LogKey, after: int) -> Commit:
    """The newest commit, which must reach `after`, and behind which nothing may be missing that a reader at `after` wants."""
    tail = _newest(services, key)
    if after > tail.last_sequence:
        raise InvalidInput(
            f"position {after} lies beyond the last event, {tail.last_sequence}", code="POSITION_BEYOND_TAIL"
        )
    if tail.expires_at_ms is not None and tail.sequence > after + 1:
        raise _expired(after)
    return tail


def _newest(services: Services, key: LogKey) -> Commit:
    tail = services.log.tail(key) if is_id(key.execution_id) else None
    if tail is None or (tail.expires_at_ms is not None and not _is_terminal(unpack_events(tail))):
        raise task_not_found() if is_standalone_task(key.execution_id) else execution_not_found()
    return tail


def _expired(after: int) -> Gone:
    if after:
        return Gone("what follows this position is not kept any more", code="CURSOR_EXPIRED")
    return Gone("the execution ended too long ago for its log to be kept", code="EXECUTION_EXPIRED")


def _read(services: Services, key: LogKey, tail: Commit, *, after: int, limit: int) -> list[Event]:
    """From one to `limit` events beyond `after`, contiguous. `tail` spares a read when it holds them."""
    commits: Sequence[Commit] = (
        [tail] if tail.sequence <= after + 1 else services.log.read(key, after=after, limit=limit)
    )
    found = _contiguous(key, commits, after)
    if not found:
        raise LogCorrupted(f"{key} ends at {tail.last_sequence}, but nothing was read after {after}")
    return found[:limit]


def _contiguous(key: LogKey, commits: Sequence[Commit], after: int) -> list[Event]:
    """The events of `commits` beyond `after`.

    Raises:
        LogCorrupted: one is missing.
    """
    found = [event for commit in commits for event in unpack_events(commit) if event.sequence > after]
    for expected, event in enumerate(found, start=after + 1):
        if event.sequence != expected:
            raise LogCorrupted(f"{key} has {event.sequence} where {expected} should be")
    return found


def _cut(
    services: Services | None,
    org: OrgId,
    scanned: Sequence[Event],
    *,
    limit: int,
    types: Collection[EventType] | None,
    last_known: int,
    closed: bool,
) -> HistoryPage:
    """The page of `scanned`, of a log that reaches `last_known` at least."""
    events, next_after, size = _take(services, org, scanned, limit=limit, types=types)
    up_to_date = next_after >= last_known
    return HistoryPage(events=events, next_after=next_after, up_to_date=up_to_date, closed=closed, size=size)


def _take(
    services: Services | None,
    org: OrgId,
    scanned: Sequence[Event],
    *,
    limit: int,
    types: Collection[EventType] | None,
) -> tuple[tuple[Event, ...], int, int]:
    """The events of a page, payloads inlined where services are given, the last sequence it covers, and its size; always goes forward."""
    taken: list[Event] = []
    covered, size = scanned[0].sequence - 1, 0
    for event in _until_full(scanned, taken, limit):
        if types is None or event.type in types:
            shown = event if services is None else payloads.inline(services, org, event)
            its_size = size_of(shown) if services is not None else 0
            if taken and size + its_size > _PAGE_BYTES:
                break
            size += its_size
            taken.append(shown)
        covered = event.sequence
    return tuple(taken), covered, size


def size_of(event: Event) -> int:
    """Characters of its data as JSON, payloads inlined."""
    return len(json.dumps(public_data(event.data)))


def _until_full(scanned: Sequence[Event], taken: Sequence[Event], limit: int) -> Iterator[Event]:
    """`scanned`, for as long as `taken` holds fewer than `limit`."""
    for event in scanned:
        if len(taken) >= limit:
            return
        yield event


def _is_terminal(events: Sequence[Event]) -> bool:
    return events[-1].is_terminal
