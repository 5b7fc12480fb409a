"""What each event means to the code it is delivered to. `STREAM_*` events are never delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowstrand import errors
from flowstrand.engine.events import (
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ErrorInfo,
    Event,
    OperationCompleted,
    OperationFailed,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStatus,
    TimerCancelled,
    TimerFired,
    TimerStarted,
    WorkflowStarted,
    WorkflowSuspended,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.replay import matching
from flowstrand.engine.replay.commands import describe

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver


def deliver(driver: Driver, event: Event) -> None:
    """Check what `event` records against what the code asked for, and settle what it settles.

    Raises:
        DeterminismViolation: the code and the log differ.
    """
    match event.data:
        case WorkflowStarted() as started:
            driver.begin(started)
        case TaskCreated() | TimerStarted() | ChildInitiated() as recorded:
            _record(driver, recorded, event.sequence)
        case TaskCancelled() | TimerCancelled() as cancelled:
            _deliver_cancelled(driver, cancelled, event.sequence)
        case TaskCompleted(position=position, output=output):
            driver.settle(position, output)
        case TaskFailed(status=TaskStatus.FAILED) as failed:
            driver.settle(failed.position, failure=_task_failure(failed))
        case TimerFired(position=position):
            driver.settle(position)
        case ChildCompleted(position=position, output=output):
            driver.settle(position, output)
        case ChildFailed() as failed:
            driver.settle(failed.position, failure=_child_failure(failed))
        case OperationCompleted() | OperationFailed() as recorded:
            _deliver_operation(driver, recorded, event.sequence)
        case WorkflowSuspended(horizon=horizon):
            _check_turn(driver, horizon, event.sequence)
        case _:
            pass  # facts that the code does not observe


def _record(driver: Driver, recorded: matching.RecordedCommand, sequence: int) -> None:
    position = matching.position_of(recorded)
    if position is None:
        return
    issued = driver.command_at(position)
    matching.check_command(recorded, issued, position=position, sequence=sequence)
    driver.record(position)


def _deliver_cancelled(driver: Driver, cancelled: TaskCancelled | TimerCancelled, sequence: int) -> None:
    _record(driver, cancelled, sequence)
    message = "cancelled before it finished"
    if isinstance(cancelled, TaskCancelled):
        task_id = cancelled.task_execution_id
        failure: errors.AuthorError = errors.TaskCancelled(
            message, kind=cancelled.kind, error_type="TaskCancelled", id=task_id
        )
    else:
        failure = errors.TimerCancelled(message, kind="timer", error_type="TimerCancelled", id=cancelled.timer_id)
    driver.settle(cancelled.position, failure=failure)


def _deliver_operation(driver: Driver, recorded: matching.RecordedOperation, sequence: int) -> None:
    operation = driver.operation_at(recorded.index)
    matching.check_operation(recorded, operation.name if operation else None, sequence=sequence)
    if isinstance(recorded, OperationCompleted):
        driver.settle_operation(recorded.index, recorded.result)
        return
    driver.settle_operation(
        recorded.index,
        failure=errors.OperationFailed(
            recorded.error.message,
            kind=recorded.name,
            error_type=recorded.error.type,
            stack=recorded.error.stack,
            id=recorded.operation_id,
        ),
    )


def _check_turn(driver: Driver, horizon: int, sequence: int) -> None:
    """The turn that ends here saw the events up to `horizon`: the code still waited, and all it had asked for is recorded."""
    if driver.finished_at is not None and driver.finished_at <= horizon:
        recorded = f"still waiting after event {horizon}"
        asked = f"ended at event {driver.finished_at}"
        raise matching.violation("the end", sequence, recorded, asked)
    for command in driver.issued_by(horizon):
        recorded = "nothing: the turn that ended here asked for no such command"
        raise matching.violation(f"position {command.position}", sequence, recorded, describe(command))


def _task_failure(failed: TaskFailed) -> errors.TaskFailed:
    error: ErrorInfo = failed.error
    cls = errors.TaskTimeout if failed.failure_type == FailureType.TIMEOUT else errors.TaskFailed
    return cls(
        error.message, kind=failed.kind, error_type=error.type, stack=error.stack, id=failed.task_execution_id
    )


def _child_failure(failed: ChildFailed) -> errors.ChildWorkflowFailed:
    error: ErrorInfo = failed.error
    return errors.ChildWorkflowFailed(
        error.message,
        kind=failed.kind,
        error_type=error.type,
        failure_type=failed.failure_type,
        stack=error.stack,
        id=failed.child_workflow_id,
    )
