"""A turn's events: what was issued minus what is recorded, decided behind everything read, and a closing event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from flowstrand.engine import ids
from flowstrand.engine.decide import child, promise, task, timer, values
from flowstrand.engine.events import (
    ErrorInfo,
    OperationCompleted,
    OperationFailed,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowResumed,
    WorkflowStatus,
    WorkflowSuspended,
)
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import (
    Cancel,
    CancelChild,
    CancelTask,
    CancelTimer,
    ClearState,
    Command,
    CreatePromise,
    ScheduleTask,
    SetState,
    StartChild,
    StartTimer,
)
from flowstrand.engine.replay.outcome import Cancelled, Continued, Outcome, Raised, Returned, Waiting
from flowstrand.engine.replay.patches import MARKER, PREFIX
from flowstrand.engine.schema import Payload
from flowstrand.engine.state import ExecutionState, open_positions, unseen_after


class _Common(TypedDict):
    workflow_execution_id: str
    kind: str
    parent_workflow_execution_id: str | None
    worker_id: str | None


class _End(_Common):
    horizon: int
    unseen: tuple[int, ...]


def is_superseded(state: ExecutionState, horizon: int) -> bool:
    """Whether a turn that has delivered up to `horizon` must drop everything.

    It must when the execution has ended, and when a duplicate has closed a turn that had seen as much: unless an event
    beyond the recorded horizon and up to its own satisfies the recorded waits, there is nothing left for it to do. That
    holds although yet another turn may have resumed since: closing beside it would record waits of the past.
    """
    if state.closed:
        return True
    return state.turn_marker is not None and not state.is_released_by(horizon)


def resume(draft: Draft, worker_id: str | None) -> None:
    """Say that a later turn has begun: exactly when the newest of RESUMED and SUSPENDED is SUSPENDED."""
    if draft.state.is_suspended:
        draft.emit(WorkflowResumed(**_common(draft.state, worker_id), status=WorkflowStatus.RUNNING))


def issue(draft: Draft, commands: Iterable[Command], horizon: int) -> None:
    """Record commands behind everything in the draft; a cancel of what has settled vanishes.

    Args:
        horizon: up to where the code that issued them had seen the log.
    """
    for command in commands:
        match command:
            case ScheduleTask():
                task.create(draft, command)
            case StartTimer():
                timer.start(draft, command)
            case CreatePromise():
                promise.create(draft, command)
            case StartChild():
                child.initiate(draft, command)
                if _is_cancelled_beyond(draft.state, horizon):
                    child.request_cancel(draft, command.position)
            case SetState() | ClearState():
                values.change(draft, command)
            case CancelTask() | CancelTimer() | CancelChild():
                _cancel(draft, command)


def _is_cancelled_beyond(state: ExecutionState, horizon: int) -> bool:
    requested_at = state.cancel_requested_at
    return requested_at is not None and requested_at > horizon and state.is_cancel_cascading


def _cancel(draft: Draft, command: Cancel) -> None:
    match command:
        case CancelTask(position=position, target=target):
            task.cancel(draft, target, command=position)
        case CancelTimer(position=position, target=target):
            timer.cancel(draft, target, command=position)
        case CancelChild(position=position, target=target, reason=reason):
            child.request_cancel(draft, target, command=position, reason=reason)


def mark(draft: Draft, patches: Iterable[str]) -> None:
    """Record that the code follows these patches, before whatever it does because of them."""
    for patch in patches:
        record_operation(draft, MARKER, f"{PREFIX}{patch}", None)


def record_operation(
    draft: Draft, index: int, name: str, result: Payload | ErrorInfo, *, issued_at: int | None = None
) -> None:
    """Record what a `ctx.run` function returned, or how it failed.

    Args:
        issued_at: the last event that the code had seen when it called, where it has seen others since.
    """
    id = ids.operation_id(draft.state.workflow_execution_id, ids.OPERATION, index)
    if isinstance(result, ErrorInfo):
        draft.emit(OperationFailed(operation_id=id, index=index, name=name, issued_at=issued_at, error=result))
    else:
        draft.emit(OperationCompleted(operation_id=id, index=index, name=name, issued_at=issued_at, result=result))


def close(draft: Draft, outcome: Outcome, horizon: int, worker_id: str | None) -> None:
    """End the turn: suspended, or with the execution's own end."""
    common = _common(draft.state, worker_id)
    if isinstance(outcome, Waiting):
        draft.emit(
            WorkflowSuspended(
                **common,
                status=WorkflowStatus.WAITING,
                suspend_type=outcome.suspend_type,
                waits=outcome.groups,
                horizon=horizon,
            )
        )
        return
    unseen = unseen_after(draft.state, horizon)
    carried = tuple(sequence for sequence in draft.state.signals if sequence > horizon)
    end_open_work(draft)
    draft.emit(_end(draft.state, outcome, _End(**common, horizon=horizon, unseen=unseen), carried))


def end_open_work(draft: Draft) -> None:
    """What the execution's end does to what is open, before the terminal event, in order of position.

    Tasks and timers are cancelled; children are treated by their parent-close policies.
    """
    for position in open_positions(draft.state):
        task.cancel(draft, position)
        timer.cancel(draft, position)
        child.parent_closes(draft, position)


def _end(
    state: ExecutionState,
    outcome: Returned | Continued | Cancelled | Raised,
    common: _End,
    carried: tuple[int, ...],
) -> WorkflowCompleted | WorkflowFailed | WorkflowCancelled:
    match outcome:
        case Returned(output=output):
            return WorkflowCompleted(**common, status=WorkflowStatus.COMPLETED, output=output)
        case Continued(input=input, untaken=untaken):
            return WorkflowCompleted(
                **common,
                status=WorkflowStatus.COMPLETED,
                output=None,
                continued_as=ids.successor_id(state.workflow_execution_id),
                continued_input=input,
                carried_signals=(*untaken, *carried) or None,
            )
        case Cancelled(reason=reason):
            return WorkflowCancelled(**common, status=WorkflowStatus.CANCELLED, reason=reason)
        case Raised(error=error, failure_type=failure_type):
            return WorkflowFailed(**common, status=WorkflowStatus.FAILED, error=error, failure_type=failure_type)


def _common(state: ExecutionState, worker_id: str | None) -> _Common:
    return _Common(
        workflow_execution_id=state.workflow_execution_id,
        kind=state.kind,
        parent_workflow_execution_id=state.parent.workflow_execution_id if state.parent else None,
        worker_id=worker_id,
    )
