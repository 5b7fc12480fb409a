"""Load, decide, append: the one way anything gets into a log (laws 2 and 3).

Reading the tail, folding, deciding and writing at `tail + 1` is repeated until nobody else wrote in between. A
writer that loses reads only the commits it had not seen, and decides again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeAlias, TypeVar

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids
from flowstrand.engine.events import Event, EventData
from flowstrand.engine.evolve import Draft, fold
from flowstrand.engine.expired import state_of_ends
from flowstrand.engine.state import ExecutionState
from flowstrand.errors import Gone, LogCorrupted, NotFound, StoreUnavailable, Unavailable
from flowstrand.log.checkpoint import pack_checkpoint, unpack_checkpoint
from flowstrand.log.packing import pack_stored, stored_form, unpack_events
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.observability import meter, metrics
from flowstrand.service.container import Services
from flowstrand.service.payloads import offload

T = TypeVar("T")
Decision: TypeAlias = Callable[[Draft], T]

MAX_CONFLICTS = 100
"""Conflicts in a row after which a writer gives up and says that it is to be tried again."""
_PUTS = 4
"""How often one commit is put when the store fails: it may have been written, and putting it again tells."""
_BASE_MS, _CAP_MS = 5.0, 400.0


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a log stands.

    Attributes:
        checkpoint_at: the sequence of the newest commit with a checkpoint.
        bytes_since: bytes of events written after it.
        checkpoint_bytes: its size.
        is_expired: whether retention has left nothing of the log but how it began and how it ended.
    """

    key: LogKey
    state: ExecutionState
    checkpoint_at: int | None = None
    bytes_since: int = 0
    checkpoint_bytes: int = 0
    is_expired: bool = False


class Contended(Exception):
    """An append lost too often; `tip` is what it read last."""

    def __init__(self, tip: Tip) -> None:
        super().__init__(f"{tip.key} is contended")
        self.tip = tip


@dataclass(frozen=True, slots=True)
class Appended(Generic[T]):
    """What came of a decision.

    Attributes:
        sequence: of the commit's first event, or None where the decision was to do nothing.
        events: what was appended, payloads inline.
        result: what the decision returned.
    """

    tip: Tip
    sequence: int | None
    events: tuple[Event, ...]
    result: T


def load(services: Services, key: LogKey) -> Tip | None:
    """The tip of a log, read consistently; None for an empty log.

    What is read: the commit that this process saw last and what follows it, else the tail and what follows the newest
    checkpoint. Of an expired log, its first commit and its last; one that has lost its last as well is as good as empty.
    """
    try:
        return _load(services, key)
    except LogCorrupted:
        tail = services.log.tail(key)  # perhaps it has expired since its tail was read
        if tail is None or tail.expires_at_ms is None:
            raise
        return _ends_of(services, tail)


def _load(services: Services, key: LogKey) -> Tip | None:
    known = services.tips.newest(key)
    if known is not None:
        # Its last commit is read again: were the log gone since, appending behind what is remembered would reopen it.
        commits = services.log.read(key, after=known.state.sequence - 1)
        if commits and commits[-1].expires_at_ms is None:
            return _noted(services, advance(known, key, commits[1:]))
    tail = services.log.tail(key)
    if tail is None:
        return None
    if tail.expires_at_ms is not None:
        return _ends_of(services, tail)
    if tail.checkpoint is not None:
        return _noted(services, advance(None, key, [tail]))
    return _noted(services, advance(None, key, services.log.read(key, after=(tail.checkpoint_at or 1) - 1)))


def _ends_of(services: Services, tail: Commit) -> Tip | None:
    """The tip of an expired log; None where its last commit is gone."""
    end = unpack_events(tail)[-1]
    first = services.log.commit_at(tail.key, 1)
    if not end.is_terminal or first is None:
        return None
    return Tip(tail.key, state_of_ends(unpack_events(first), end), is_expired=True)


def require(services: Services, key: LogKey) -> Tip:
    """The tip of an execution that must exist, and whole. A standalone task is none, though its log is like one.

    Raises:
        NotFound: `EXECUTION_NOT_FOUND`.
        Gone: `EXECUTION_EXPIRED`.
    """
    tip = None if ids.is_standalone_task(key.execution_id) else load(services, key)
    if tip is None:
        raise execution_not_found()
    return require_whole(tip)


def require_whole(tip: Tip) -> Tip:
    """`tip`, unless it is of an expired log, of which nothing more can be said.

    Raises:
        Gone: `EXECUTION_EXPIRED`.
    """
    if tip.is_expired:
        raise Gone("the execution ended too long ago for its log to be kept", code="EXECUTION_EXPIRED")
    return tip


def execution_not_found() -> NotFound:
    """What is said of unknown executions, and of another org's."""
    return NotFound("there is no such execution", code="EXECUTION_NOT_FOUND")


def advance(tip: Tip | None, key: LogKey, commits: Sequence[Commit], events: Iterable[Event] | None = None) -> Tip:
    """The tip after `commits`, the first of which may be the one with the newest checkpoint.

    Args:
        events: all that they hold, if the caller has unpacked them; then the first is folded as well.
    """
    state = tip.state if tip else None
    checkpoint_at = tip.checkpoint_at if tip else None
    checkpoint_bytes = tip.checkpoint_bytes if tip else 0
    bytes_since = tip.bytes_since if tip else 0
    if events is None:
        unpacked = commits
        if state is None and commits and commits[0].checkpoint is not None:
            state, unpacked = unpack_checkpoint(commits[0].checkpoint), commits[1:]
        events = (event for commit in unpacked for event in unpack_events(commit))
    for commit in commits:
        bytes_since += len(commit.events)
        if commit.checkpoint is not None:
            checkpoint_at, checkpoint_bytes, bytes_since = commit.sequence, len(commit.checkpoint), 0
    return Tip(key, fold(state, events), checkpoint_at, bytes_since, checkpoint_bytes)


def catch_up(services: Services, tip: Tip) -> tuple[Tip, list[Event]]:
    """The tip after what others have appended since, and those events (payloads not fetched)."""
    commits = services.log.read(tip.key, after=tip.state.sequence)
    if not commits:
        return tip, []
    events = [event for commit in commits for event in unpack_events(commit)]
    return _noted(services, advance(tip, tip.key, commits, events)), events


def write(services: Services, tip: Tip, draft: Draft, stored: Sequence[bytes] | None = None) -> Tip:
    """Append the draft's events, decided on `tip`, in one commit.

    Args:
        stored: the same events as `in_stored_form` has them, if the caller has asked for it.

    Raises:
        AppendConflict: somebody else wrote first.
        StoreUnavailable: it may or may not have been written.
    """
    events = pack_stored(stored or in_stored_form(services, tip.key, draft.events))
    bytes_since = tip.bytes_since + len(events)
    checkpoint = _checkpoint(services, tip, draft.state, bytes_since)
    sequence = tip.state.sequence + 1
    commit = Commit(
        key=tip.key,
        sequence=sequence,
        count=len(draft.events),
        events=events,
        written_at_ms=draft.now_ms,
        commit_id=services.random_bytes(12).hex(),
        checkpoint=checkpoint,
        checkpoint_at=sequence if checkpoint else tip.checkpoint_at,
    )
    put(services, commit)
    if checkpoint:
        return _noted(services, Tip(tip.key, draft.state, sequence, 0, len(checkpoint)))
    return _noted(services, Tip(tip.key, draft.state, tip.checkpoint_at, bytes_since, tip.checkpoint_bytes))


def in_stored_form(services: Services, key: LogKey, events: Iterable[EventData]) -> list[bytes]:
    """Each event as a commit of this log holds it; its large payloads are stored and replaced by references.

    Raises:
        PayloadTooLarge: a value is over the limit.
        StoreUnavailable: a value could not be stored.
    """
    return [stored_form(offload(services, key.org, data)) for data in events]


def fitting(stored: Sequence[bytes], max_bytes: int) -> int:
    """How many of the events fit into one commit, at least one."""
    size = 0
    for count, data in enumerate(stored):
        size += len(data)
        if size > max_bytes:
            return max(1, count)
    return len(stored)


def _noted(services: Services, tip: Tip) -> Tip:
    """The tip, kept for the next look; not where every turn is to be cold, since then nothing is to be taken from memory."""
    if services.settings.warm_executions:
        services.tips.note(tip)
    return tip


def put(services: Services, commit: Commit) -> None:
    """Put one commit, again where the store fails: finding it written is success.

    Raises:
        AppendConflict: somebody else's commit is there.
        StoreUnavailable: the store kept failing.
    """
    backoff = Backoff(services)
    for attempt in range(1, _PUTS + 1):
        try:
            services.log.append(commit)
        except StoreUnavailable:
            if attempt == _PUTS:
                raise
            backoff.wait()
        else:
            return


def transact(
    services: Services,
    key: LogKey,
    decide: Decision[T],
    *,
    conflicts: int = MAX_CONFLICTS,
    tip: Tip | None = None,
) -> Appended[T]:
    """Decide on the newest state and append, until nobody else wrote in between.

    Args:
        decide: emits onto the draft; called again, on a newer state, after every conflict. What it raises is raised.
        conflicts: how many conflicts to take before giving up.
        tip: where the log is known to have stood, to save reading it.

    Raises:
        NotFound: the log is empty.
        Gone: it has expired.
        Unavailable: `BUSY`: what it begins with is still being copied.
        Contended: there were too many conflicts.
        StoreUnavailable: it may or may not have been written.
    """
    known = tip or load(services, key)
    if known is None:
        raise execution_not_found()
    backoff = Backoff(services)
    for _ in range(conflicts):
        with services.turnstile.alone(key):
            known = _newest(services, known)
            _require_copied(known)
            draft = Draft(known.state, services.clock.now_ms())
            result = decide(draft)
            if not draft.events:
                return Appended(known, None, (), result)
            try:
                written = write(services, known, draft)
            except AppendConflict:
                meter.count(metrics.APPEND_CONFLICTS)
            else:
                return Appended(written, known.state.sequence + 1, events_of(known, draft), result)
        backoff.wait()
        known, _seen = catch_up(services, known)
    raise Contended(known)


def _newest(services: Services, tip: Tip) -> Tip:
    """The tip, or a newer one of the same log that this process has seen since."""
    known = services.tips.newest(tip.key)
    return tip if known is None or known.state.sequence <= tip.state.sequence else known


def _require_copied(tip: Tip) -> None:
    """Refuse to append to a log before all is there that it begins with: what came between would be taken for history."""
    if tip.state.is_copying:
        raise Unavailable(f"{tip.key.execution_id} is being made", code="BUSY", retry_after_s=1)


def events_of(before: Tip, draft: Draft) -> tuple[Event, ...]:
    """The draft's events with the sequences they have once written behind `before`."""
    start = before.state.sequence + 1
    return tuple(
        Event(sequence=sequence, timestamp_ms=draft.now_ms, data=data)
        for sequence, data in enumerate(draft.events, start=start)
    )


def unavailable(contended: Contended) -> Unavailable:
    """What a caller is told when an append lost too often."""
    return Unavailable(f"{contended.tip.key.execution_id} is busy; try again", code="BUSY", retry_after_s=1)


class Backoff:
    """Decorrelated jitter ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015)."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._delay_ms = _BASE_MS

    def wait(self) -> None:
        """Sleep for a random time between the base and three times the last."""
        draw = int.from_bytes(self._services.random_bytes(4), "big") / (1 << 32)
        self._delay_ms = min(_CAP_MS, _BASE_MS + draw * (self._delay_ms * 3 - _BASE_MS))
        self._services.clock.sleep_ms(self._delay_ms)


def _checkpoint(services: Services, tip: Tip, state: ExecutionState, bytes_since: int) -> bytes | None:
    """A checkpoint is due when what was written since the last exceeds both a floor and the last one's own size."""
    if bytes_since <= max(services.settings.checkpoint_bytes, tip.checkpoint_bytes):
        return None
    return pack_checkpoint(state)


def first_commit(services: Services, key: LogKey, *events: EventData) -> Commit:
    """The commit that creates an execution."""
    return Commit(
        key=key,
        sequence=1,
        count=len(events),
        events=pack_stored(in_stored_form(services, key, events)),
        written_at_ms=services.clock.now_ms(),
        commit_id=services.random_bytes(12).hex(),
    )
