"""A turn's events: what was issued minus what is recorded, decided behind everything read, and a closing event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from flowstrand.engine import ids
from flowstrand.engine.decide import child, task, timer
from flowstrand.engine.events import (
    ErrorInfo,
    OperationCompleted,
    OperationFailed,
    SuspendType,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowResumed,
    WorkflowStatus,
    WorkflowSuspended,
)
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import (
    CancelTask,
    CancelTimer,
    Command,
    ScheduleTask,
    StartChild,
    StartTimer,
)
from flowstrand.engine.replay.outcome import Outcome, Raised, Returned, Waiting
from flowstrand.engine.schema import Payload
from flowstrand.engine.state import ExecutionState, open_positions, unseen_after


class _Common(TypedDict):
    workflow_execution_id: str
    kind: str
    parent_workflow_execution_id: str | None
    worker_id: str | None


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


def issue(draft: Draft, commands: Iterable[Command]) -> None:
    """Record commands behind everything in the draft; a cancel of what has settled vanishes."""
    for command in commands:
        match command:
            case ScheduleTask():
                task.create(draft, command)
            case StartTimer():
                timer.start(draft, command)
            case StartChild():
                child.initiate(draft, command)
            case CancelTask(position=position, target=target):
                task.cancel(draft, target, command=position)
            case CancelTimer(position=position, target=target):
                timer.cancel(draft, target, command=position)


def record_operation(draft: Draft, index: int, name: str, result: Payload | ErrorInfo) -> None:
    """Record what a `ctx.run` function returned, or how it failed."""
    operation_id = ids.operation_id(draft.state.workflow_execution_id, ids.OPERATION, index)
    if isinstance(result, ErrorInfo):
        draft.emit(OperationFailed(operation_id=operation_id, index=index, name=name, error=result))
    else:
        draft.emit(OperationCompleted(operation_id=operation_id, index=index, name=name, result=result))


def close(draft: Draft, outcome: Outcome, horizon: int, worker_id: str | None) -> None:
    """End the turn: suspended, or with the execution's own end."""
    common = _common(draft.state, worker_id)
    match outcome:
        case Waiting(groups=groups, first=first):
            draft.emit(
                WorkflowSuspended(
                    **common,
                    status=WorkflowStatus.WAITING,
                    suspend_type=_suspend_type(first),
                    waits=groups,
                    horizon=horizon,
                )
            )
        case Returned(output=output):
            unseen = _cancel_open_work(draft, horizon)
            draft.emit(
                WorkflowCompleted(
                    **common, status=WorkflowStatus.COMPLETED, output=output, horizon=horizon, unseen=unseen
                )
            )
        case Raised(error=error, failure_type=failure_type):
            unseen = _cancel_open_work(draft, horizon)
            draft.emit(
                WorkflowFailed(
                    **common,
                    status=WorkflowStatus.FAILED,
                    error=error,
                    failure_type=failure_type,
                    horizon=horizon,
                    unseen=unseen,
                )
            )


def _cancel_open_work(draft: Draft, horizon: int) -> tuple[int, ...]:
    """Cancel open tasks and timers in position order; returns what the code had not seen before that."""
    unseen = unseen_after(draft.state, horizon)
    for position in open_positions(draft.state):
        task.cancel(draft, position)
        timer.cancel(draft, position)
    return unseen


def _suspend_type(first: Command) -> SuspendType:
    match first:
        case StartTimer():
            return SuspendType.TIMER
        case StartChild():
            return SuspendType.CHILD_WORKFLOW
        case _:
            return SuspendType.TASK


def _common(state: ExecutionState, worker_id: str | None) -> _Common:
    return _Common(
        workflow_execution_id=state.workflow_execution_id,
        kind=state.kind,
        parent_workflow_execution_id=state.parent.workflow_execution_id if state.parent else None,
        worker_id=worker_id,
    )
