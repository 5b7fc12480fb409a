"""What each event means to the code it is delivered to. `STREAM_*` events are never delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowstrand import errors
from flowstrand.engine.events import (
    CancellationRequested,
    ChildCompleted,
    ChildFailed,
    ErrorInfo,
    Event,
    OperationCompleted,
    OperationFailed,
    PromiseRejected,
    PromiseResolved,
    PromiseTimedOut,
    SignalReceived,
    TaskCancelled,
    TaskCompleted,
    TaskFailed,
    TaskStatus,
    TimerCancelled,
    TimerFired,
    WorkflowStarted,
    WorkflowSuspended,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.replay import matching
from flowstrand.engine.replay.commands import CancelChild, CancelTask, CancelTimer, describe
from flowstrand.engine.replay.patches import marker_of

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
        case TaskCancelled() | TimerCancelled() as cancelled:
            _deliver_cancelled(driver, cancelled, event.sequence)
        case recorded if isinstance(recorded, matching.RecordedCommand):
            _record(driver, recorded, event.sequence)
        case TaskCompleted(position=position, output=value) | ChildCompleted(position=position, output=value):
            driver.settle(position, value)
        case TaskFailed(status=TaskStatus.FAILED) as failed:
            driver.settle(failed.position, failure=_task_failure(failed))
        case TimerFired(position=position):
            driver.settle(position)
        case ChildFailed() as failed:
            driver.settle(failed.position, failure=_child_failure(failed))
        case PromiseResolved() | PromiseRejected() | PromiseTimedOut() as settled:
            _deliver_promise(driver, settled)
        case OperationCompleted() | OperationFailed() as recorded:
            _deliver_operation(driver, event, recorded)
        case SignalReceived() | CancellationRequested() as received:
            _deliver_from_outside(driver, received, event.sequence)
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


def _deliver_from_outside(driver: Driver, received: SignalReceived | CancellationRequested, sequence: int) -> None:
    if isinstance(received, SignalReceived):
        driver.receive(received.name, sequence, received.value)
    else:
        driver.request_cancellation(received.reason)


def _deliver_promise(driver: Driver, settled: PromiseResolved | PromiseRejected | PromiseTimedOut) -> None:
    match settled:
        case PromiseResolved(position=position, value=value):
            driver.settle(position, value)
        case PromiseRejected(position=position, name=name, error=error):
            failure = errors.PromiseRejected(
                error.message, kind=name, error_type=error.type, stack=error.stack, id=settled.promise_id
            )
            driver.settle(position, failure=failure)
        case PromiseTimedOut(position=position, name=name):
            message = f"promise {name!r} was not settled in time"
            driver.settle(position, failure=errors.PromiseTimeout(message, id=settled.promise_id))


def _deliver_operation(driver: Driver, event: Event, recorded: matching.RecordedOperation) -> None:
    patch = marker_of(event)
    if patch is not None:
        driver.record_patch(patch)
        return
    operation = driver.operation_at(recorded.index)
    matching.check_operation(recorded, operation.name if operation else None, sequence=event.sequence)
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
            is_retryable=recorded.error.retryable is not False,
        ),
    )


def _check_turn(driver: Driver, horizon: int, sequence: int) -> None:
    """The turn that ends here saw the events up to `horizon`: the code still waited, and all it had asked for is recorded."""
    if driver.finished_at is not None and driver.finished_at <= horizon:
        recorded = f"still waiting after event {horizon}"
        asked = f"ended at event {driver.finished_at}"
        raise matching.violation("the end", sequence, recorded, asked)
    for command in driver.issued_by(horizon):
        if driver.is_retry and isinstance(command, CancelTask | CancelTimer | CancelChild):
            continue  # it came too late for work that has been begun again since
        recorded = "nothing: the turn that ended here asked for no such command"
        raise matching.violation(f"position {command.position}", sequence, recorded, describe(command))
    for operation in driver.pending_operations():
        if operation.issued_at <= horizon:
            recorded = "nothing: the turn that ended here ran no such operation"
            where = f"operation {operation.index}"
            raise matching.violation(where, sequence, recorded, f"run {operation.name!r}")


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
