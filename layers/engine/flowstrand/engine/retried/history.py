"""`retried_history`: the events that an execution begins with which is a retry of a failed one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import (
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    Event,
    EventData,
    RetryOf,
    RetryRequested,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.retried.keeping import Kept, keep
from flowstrand.engine.retried.rewriting import Rewriting


@dataclass(frozen=True, slots=True)
class Copied:
    """An event of the new log, and when it happened, where the code is to see that."""

    data: EventData
    happened_at_ms: int | None = None


def retried_history(
    events: Sequence[Event], execution_id: str, *, retry_of: RetryOf, begins_at_ms: int
) -> list[Copied]:
    """What the log of `execution_id` begins with: the same for the same arguments, whoever goes on with a copy.

    Args:
        events: the whole log of the failed execution.
        begins_at_ms: when the first of the new events is written.
    """
    kept = keep(events)
    copied = list(_copied(events, kept))
    sequences = [sequence for sequence, _ in copied]
    rewriting = Rewriting(
        execution_id=execution_id,
        begins_at_ms=begins_at_ms,
        kept=kept,
        same_ids=_refused(events),
        renumbered=lambda sequence: bisect_right(sequences, sequence),
    )
    history = [Copied(rewriting.started(events[0], retry_of), _clock(events[0], kept))]
    for _, event in copied[1:]:
        if isinstance(event, ChildInitiated):
            history.append(Copied(rewriting.begun(event)))
        else:
            history.append(Copied(rewriting.rewritten(event), _clock(event, kept)))
    asked = RetryRequested(
        retried_from=retry_of.workflow_execution_id,
        retried_from_sequence=retry_of.sequence,
        reason=retry_of.reason,
        request_id=retry_of.request_id,
    )
    return [*history, Copied(asked)]


def _copied(events: Sequence[Event], kept: Kept) -> Iterator[tuple[int, Event | ChildInitiated]]:
    """What is copied, in order, each with the sequence that it has in the old log.

    Behind an adopted child of which the old log does not say that it has begun, the child itself, for that to be said.
    """
    started = {event.data.position for event in events if isinstance(event.data, ChildStarted)}
    yield events[0].sequence, events[0]
    for event in events:
        if event.sequence not in kept.sequences:
            continue
        yield event.sequence, event
        data = event.data
        if isinstance(data, ChildInitiated) and data.position in kept.adopted - started:
            yield event.sequence, data


def _clock(event: Event, kept: Kept) -> int | None:
    return (event.happened_at_ms or event.timestamp_ms) if event.sequence < kept.clock_before else None


def _refused(events: Sequence[Event]) -> frozenset[int]:
    """Positions of children that could not begin, because their ids were others'.

    They may be free now, and to be had by one only is what ids are chosen for.
    """
    return frozenset(
        event.data.position
        for event in events
        if isinstance(event.data, ChildFailed) and event.data.failure_type == FailureType.ALREADY_EXISTS
    )
