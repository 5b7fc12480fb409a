"""The feed of an org: references to the events of all its logs, in one dense sequence of its own. No stream chunks.

    @feed#{org}         {sequence of the last}    a batch: which events of which logs, and the sequence of the first
    @feed-head#{org}    head                      the sequence of the newest

A reference names an event and its type; the event itself is in its log and nowhere else (law 1). Only the projector appends,
in the transaction that also says how far each log is projected, so an event is referred to once, and a log's events in their
order.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item, Put, Write
from flowstrand.engine.events import Event, EventType, Family
from flowstrand.engine.events.codec import public_data
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import Gone, InvalidInput, LogCorrupted
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from flowstrand.service import payloads
from flowstrand.service.container import Services

DEFAULT_LIMIT = 100
MAX_LIMIT = 1_000

_SCANNED = 1_000
"""How many references one page looks at, at most, when a filter drops some of them."""
_PAGE_BYTES = 4 * 1024 * 1024
"""A page ends before its data exceeds this, so that it fits into one Lambda response."""
_BATCHES = 10
_HEAD = "head"
_DIGITS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Consecutive events of one log: the sequence of the first there, and the type of each."""

    execution_id: ExecutionId
    first: int
    types: tuple[EventType, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """An event in the feed. `sequence` is the feed's; the event has its log's. Payloads are inline."""

    sequence: int
    key: LogKey
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """Consecutive events of a feed, those that a filter let through.

    Attributes:
        next_after: the last sequence looked at; where the next page starts.
        up_to_date: the feed held nothing beyond `next_after` when it was read.
    """

    events: tuple[FeedEvent, ...]
    next_after: int
    up_to_date: bool

    @property
    def is_final(self) -> bool:
        """Never: a feed has no end."""
        return False


@dataclass(frozen=True, slots=True)
class _Reference:
    sequence: int
    run: Run
    index: int

    @property
    def type(self) -> EventType:
        return self.run.types[self.index]


def runs_of(key: LogKey, events: Sequence[Event]) -> list[Run]:
    """Consecutive events of a log as the feed refers to them; a stream chunk ends a run."""
    runs: list[Run] = []
    ended = 0
    for event in events:
        if event.family is Family.STREAM:
            continue
        if runs and event.sequence == ended + 1:
            last = runs[-1]
            runs[-1] = Run(execution_id=last.execution_id, first=last.first, types=(*last.types, event.type))
        else:
            runs.append(Run(execution_id=key.execution_id, first=event.sequence, types=(event.type,)))
        ended = event.sequence
    return runs


def appending(services: Services, org: OrgId, runs: Sequence[Run]) -> list[Write]:
    """The writes that append `runs` behind where the feed ends now; they fail if it ends elsewhere by then."""
    count = sum(len(run.types) for run in runs)
    if not count:
        return []
    standing = services.directory.get(_head_partition(org), _HEAD)
    ended, version = (_sequence(standing), standing.version) if standing else (0, 0)
    now_ms = services.clock.now_ms()
    batch: JsonObject = {"first": ended + 1, "at": now_ms, "runs": [_dump(run) for run in runs]}
    return [
        Put(partition=_head_partition(org), key=_HEAD, data={"sequence": ended + count}, expect=version),
        Put(
            partition=_partition(org),
            key=_key(ended + count),
            data=batch,
            expect=0,
            expires_at_ms=now_ms + services.settings.feed_ms,
        ),
    ]


def end(services: Services, org: OrgId) -> int:
    """The sequence of the newest event in the feed; 0 where there is none."""
    return ended_at(services.directory, org)


def ended_at(directory: Directory, org: OrgId) -> int:
    """As `end`, for those who have nothing but the directory."""
    standing = directory.get(_head_partition(org), _HEAD)
    return _sequence(standing) if standing else 0


def key_of(org: OrgId) -> LogKey:
    """What `Changes` calls the feed. It is no log, and no log can be called so."""
    return LogKey(org, ExecutionId("@feed"))


def require_position(services: Services, org: OrgId, after: int) -> None:
    """Make sure that a reader can begin behind `after`.

    Raises:
        InvalidInput: `after` lies beyond the end (`POSITION_BEYOND_TAIL`).
        Gone: `FEED_EXPIRED`: what follows `after` is no longer kept.
    """
    _found(services, org, after, 1)


def read(
    services: Services,
    org: OrgId,
    *,
    after: int,
    limit: int = DEFAULT_LIMIT,
    types: Collection[EventType] | None = None,
) -> FeedPage:
    """The events beyond `after`, at most `limit`; fewer where the page grows too large or `types` drops some.

    0 begins with the oldest that is kept. An event whose log has been removed meanwhile is left out.

    Raises:
        InvalidInput: `after` lies beyond the end (`POSITION_BEYOND_TAIL`), or `limit` is out of range (`INVALID_LIMIT`).
        Gone: `FEED_EXPIRED`: what follows `after` is no longer kept.
        LogCorrupted: the feed, or a log that it refers to, has a gap.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput(f"limit must be from 1 to {MAX_LIMIT}", code="INVALID_LIMIT")
    ended, found = _found(services, org, after, limit if types is None else _SCANNED)
    covered, taken = _take(services, org, found, limit, types)
    next_after = max(after, covered if found else ended)
    return FeedPage(events=tuple(taken), next_after=next_after, up_to_date=next_after >= ended)


def _found(services: Services, org: OrgId, after: int, count: int) -> tuple[int, list[_Reference]]:
    """Where the feed ends, and references beyond `after`. Raises what `require_position` does."""
    ended = end(services, org)
    if after > ended:
        raise InvalidInput(f"position {after} lies beyond the last event, {ended}", code="POSITION_BEYOND_TAIL")
    found = list(_references(services, org, after, count)) if after < ended else []
    if not found and ended > after > 0:
        raise _expired(after)
    return ended, found


def _references(services: Services, org: OrgId, after: int, count: int) -> Iterator[_Reference]:
    """References beyond `after`, without a gap, at most `count`."""
    kept_since_ms = services.clock.now_ms() - services.settings.feed_ms
    expected = after + 1 if after else None  # any will do to begin with
    given = 0
    for batch in _batches(services, org, after):
        first, at_ms = _whole(batch.data["first"]), _whole(batch.data["at"])
        if at_ms < kept_since_ms and expected is None:
            continue
        if at_ms < kept_since_ms or first > (expected or first):
            raise LogCorrupted(f"the feed of {org} has a gap before {first}") if given else _expired(after)
        for reference in _of_batch(batch, first):
            if reference.sequence >= (expected or 0):
                yield reference
                given += 1
                if given == count:
                    return
        expected = int(batch.key) + 1


def _batches(services: Services, org: OrgId, after: int) -> Iterator[Item]:
    """Batches that hold something beyond `after`, in order."""
    key = _key(after)
    while True:
        batches = services.directory.scan(_partition(org), after=key, limit=_BATCHES)
        yield from batches
        if len(batches) < _BATCHES:
            return
        key = batches[-1].key


def _of_batch(batch: Item, first: int) -> Iterator[_Reference]:
    runs = batch.data["runs"]
    sequence = first
    for run in map(_parse, runs if isinstance(runs, list) else ()):
        for index in range(len(run.types)):
            yield _Reference(sequence, run, index)
            sequence += 1


def _take(
    services: Services,
    org: OrgId,
    references: Sequence[_Reference],
    limit: int,
    types: Collection[EventType] | None,
) -> tuple[int, list[FeedEvent]]:
    """The last sequence that a page covers, and its events; always goes forward."""
    taken: list[FeedEvent] = []
    covered, size = 0, 0
    events = _RunReader(services, org)
    for reference in references:
        if len(taken) == limit:
            break
        event = events.at(reference) if types is None or reference.type in types else None
        if event is not None:
            size += len(json.dumps(public_data(event.data)))
            if taken and size > _PAGE_BYTES:
                break
            key = LogKey(org, reference.run.execution_id)
            taken.append(FeedEvent(sequence=reference.sequence, key=key, event=event))
        covered = reference.sequence
    return covered, taken


class _RunReader:
    """Reads each run once."""

    def __init__(self, services: Services, org: OrgId) -> None:
        self._services = services
        self._org = org
        self._run: Run | None = None
        self._events: dict[int, Event] = {}

    def at(self, reference: _Reference) -> Event | None:
        """The event, payloads inline; None where its log is gone."""
        if reference.run is not self._run:
            self._run, self._events = reference.run, self._read(reference.run)
        event = self._events.get(reference.run.first + reference.index)
        return None if event is None else payloads.inline(self._services, self._org, event)

    def _read(self, run: Run) -> dict[int, Event]:
        key = LogKey(self._org, run.execution_id)
        try:
            commits = self._services.log.read(key, after=run.first - 1, limit=len(run.types))
        except LogCorrupted:
            if not self._has_ended(key):
                raise
            return {}  # what lay between its first commit and its last has expired
        return {event.sequence: event for commit in commits for event in unpack_events(commit)}

    def _has_ended(self, key: LogKey) -> bool:
        tail = self._services.log.tail(key)
        return tail is None or unpack_events(tail)[-1].is_terminal


def _expired(after: int) -> Gone:
    return Gone(f"what follows {after} is no longer kept; begin again", code="FEED_EXPIRED")


def _sequence(head: Item) -> int:
    return _whole(head.data["sequence"])


def _whole(number: JsonValue) -> int:
    if not isinstance(number, int):
        raise LogCorrupted("a row of a feed cannot be read")
    return number


def _dump(run: Run) -> JsonObject:
    return {"id": run.execution_id, "first": run.first, "types": [type_.value for type_ in run.types]}


def _parse(stored: object) -> Run:
    try:
        data = stored if isinstance(stored, dict) else {}
        types = tuple(EventType(name) for name in data["types"])
        return Run(execution_id=ExecutionId(data["id"]), first=int(data["first"]), types=types)
    except (KeyError, TypeError, ValueError) as error:
        raise LogCorrupted(f"a batch of a feed cannot be read: {error}") from error


def _partition(org: OrgId) -> str:
    return f"@feed#{org}"


def _head_partition(org: OrgId) -> str:
    return f"@feed-head#{org}"


def _key(sequence: int) -> str:
    return f"{sequence:0{_DIGITS}}"
