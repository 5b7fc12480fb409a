"""What of a failed execution's log a retry keeps: completed work, and how far the code had got by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids
from flowstrand.engine.events import (
    CancellationRequested,
    ChildCancellationFailed,
    ChildCancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    Event,
    OperationCompleted,
    OperationFailed,
    ParentClosePolicy,
    PromiseCreated,
    PromiseRejected,
    PromiseResolved,
    PromiseTimedOut,
    SignalReceived,
    StateCleared,
    StateSet,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStarted,
    TaskStatus,
    TimerCancelled,
    TimerFired,
    TimerStarted,
    WorkflowResumed,
    WorkflowSuspended,
)
from flowstrand.engine.replay.patches import marker_of
from flowstrand.engine.retried.failed_turn import FailedTurn, command_of, failed_turn, known_operations

_Begin: TypeAlias = TaskCreated | TimerStarted | PromiseCreated | ChildInitiated
_End: TypeAlias = (
    TaskCompleted
    | TaskCancelled
    | TimerFired
    | TimerCancelled
    | PromiseResolved
    | PromiseRejected
    | PromiseTimedOut
    | ChildCompleted
    | ChildFailed
)
"""What settles an operation, beside `TASK_FAILED`, which does not always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a retry has of a log.

    Attributes:
        sequences: of the events that are kept, the first and the last of the log not counted.
        again: positions of the operations that are begun anew.
        adopted: positions of children that go on by themselves, though the execution that began them has failed.
        clock_before: events before this sequence keep their time: the code has done what it did then.
    """

    sequences: frozenset[int]
    again: frozenset[int]
    adopted: frozenset[int]
    clock_before: int


def keep(events: Sequence[Event]) -> Kept:
    """What a retry keeps of `events`, the whole log of a failed execution."""
    turn = failed_turn(events)
    operations = known_operations(events, turn)
    last_command = _last_command(events, turn)
    unsettled = _unsettled(events, turn, last_command)
    adopted = unsettled.intersection(_abandoned(events, turn))
    left_out = turn.failures | _asked_at_end(events)
    chosen = frozenset(
        event.sequence
        for event in events[1:-1]
        if event.sequence in operations
        or (event.sequence not in left_out and _is_kept(event, last_command, unsettled - adopted))
    )
    own = [e.sequence for e in events if e.sequence in chosen and e.sequence > turn.closed_at and _is_own(e)]
    return Kept(
        sequences=chosen - _resumptions(events, turn, max(own, default=0)),
        again=unsettled - adopted,
        adopted=adopted,
        clock_before=max([turn.horizon + 1, *own]),
    )


def _last_command(events: Sequence[Event], turn: FailedTurn) -> int:
    """The position of the last command that is kept.

    Those of the turns before are. Of what the failing turn asked for, the last that anything came of: what lies beyond, it asks
    for again, as changed code may do otherwise.
    """
    recorded = {position: event for event in events if (position := command_of(event)) is not None}
    before = max((p for p, event in recorded.items() if event.sequence <= turn.closed_at), default=0)
    newest = max((p for p, event in recorded.items() if not turn.could_cause(event.sequence)), default=0)
    worth = (_worth(event) for event in events if event.sequence not in turn.failures)
    return max([before, *(p for p in worth if p <= newest)])


def _worth(event: Event) -> int:
    """The position of what `event` is the outcome of; else 0.

    Or of a child that is asked for, which would be there twice, or could not be, were it asked for again.
    """
    match event.data:
        case ChildInitiated(position=position, child_workflow_id=id, parent_close_policy=policy):
            is_bound = policy is ParentClosePolicy.ABANDON or not id.endswith(f".{ids.CHILD}{position}")
            return position if is_bound else 0
        case TaskCancelled() | TimerCancelled():
            return 0
        case _:
            return _settles(event) or 0


def _unsettled(events: Sequence[Event], turn: FailedTurn, last_command: int) -> frozenset[int]:
    """Positions of the operations that nothing settles that is kept."""
    settled = {
        _settles(event)
        for event in events
        if event.sequence not in turn.failures and _is_asked_for(event, last_command)
    }
    begun = (event.data.position for event in events if isinstance(event.data, _Begin))
    return frozenset(position for position in begun if position <= last_command and position not in settled)


def _abandoned(events: Sequence[Event], turn: FailedTurn) -> Iterator[int]:
    """Positions of children that nobody ended with their parent, but for those that have failed."""
    failed = {e.data.position for e in events if isinstance(e.data, ChildFailed) and e.sequence in turn.failures}
    for event in events:
        match event.data:
            case ChildInitiated(position=position, parent_close_policy=ParentClosePolicy.ABANDON):
                if position not in failed:
                    yield position
            case _:
                pass


def _is_kept(event: Event, last_command: int, again: frozenset[int]) -> bool:
    match event.data:
        case SignalReceived() | CancellationRequested() | WorkflowSuspended() | WorkflowResumed():
            return True
        case TaskCancelled() | TimerCancelled():
            return _is_asked_for(event, last_command)
        case ChildCancellationRequested(position=position, command=command):
            return max(position, command or 0) <= last_command
        case TaskStarted() | TaskFailed() | ChildStarted() | ChildCancellationFailed():
            return event.data.position <= last_command and event.data.position not in again
        case StateSet() | StateCleared():
            return event.data.position <= last_command
        case data if isinstance(data, _Begin | _End):
            return data.position <= last_command
        case _:
            return False


def _settles(event: Event) -> int | None:
    """The position of the operation that `event` settles."""
    match event.data:
        case TaskFailed(position=position, status=status):
            return position if status is TaskStatus.FAILED else None
        case data if isinstance(data, _End):
            return data.position
        case _:
            return None


def _is_asked_for(event: Event, last_command: int) -> bool:
    """False for a cancellation that no command which is kept asked for: those without one were the execution's end."""
    match event.data:
        case TaskCancelled(command=command) | TimerCancelled(command=command):
            return command is not None and command <= last_command
        case _:
            return True


def _is_own(event: Event) -> bool:
    """Whether a turn recorded it, and not somebody else. Markers of patches tell nothing of when they were asked for."""
    is_result = isinstance(event.data, OperationCompleted | OperationFailed) and marker_of(event) is None
    return is_result or command_of(event) is not None


def _asked_at_end(events: Sequence[Event]) -> frozenset[int]:
    """Sequences of the requests that children cancel which the execution's end made, and not somebody who asked it to."""
    asked: list[int] = []
    is_cascading = False
    for event in events[:-1]:
        match event.data:
            case ChildCancellationRequested(command=None, force=force):
                is_cascading = is_cascading and not force
                if not is_cascading:
                    asked.append(event.sequence)
            case TaskCancelled(command=None) | TimerCancelled(command=None):
                is_cascading = False
            case data:
                is_cascading = isinstance(data, CancellationRequested)
                asked.clear()
    return frozenset(asked)


def _resumptions(events: Sequence[Event], turn: FailedTurn, last_own: int) -> frozenset[int]:
    """The failing turn's `WORKFLOW_RESUMED`, where none of its records is kept: it begins anew."""
    return frozenset(
        event.sequence
        for event in events
        if isinstance(event.data, WorkflowResumed) and max(turn.closed_at, last_own) < event.sequence
    )
