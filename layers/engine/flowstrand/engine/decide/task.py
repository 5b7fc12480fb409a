"""Tasks: create, claim, complete, fail (with retry), give up a silent worker, cancel."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from flowstrand.engine import ids
from flowstrand.engine.events import (
    ErrorInfo,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStarted,
    TaskStatus,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import ScheduleTask
from flowstrand.engine.retry import has_attempt_left, retry_delay_ms
from flowstrand.engine.schema import EpochMs, Payload
from flowstrand.engine.state import ExecutionState, OpenTask
from flowstrand.errors import Conflict
from flowstrand.jsonvalue import JsonObject


class _Common(TypedDict):
    task_execution_id: str
    position: int
    kind: str
    execution_count: int
    max_retries: int


def create(draft: Draft, command: ScheduleTask) -> None:
    """Record that workflow code asked for a task."""
    task_id = ids.operation_id(draft.state.workflow_execution_id, ids.TASK, command.position)
    draft.emit(created(task_id, command))


def created(task_id: str, command: ScheduleTask, *, metadata: JsonObject | None = None) -> TaskCreated:
    """The event of a new task, whoever asks for it."""
    return TaskCreated(
        task_execution_id=task_id,
        position=command.position,
        kind=command.kind,
        status=TaskStatus.PENDING,
        execution_count=0,
        max_retries=command.retry.max_retries,
        input=command.input,
        queue=command.queue,
        retry=command.retry,
        timeout_ms=command.terms.timeout_ms,
        start_to_close_ms=command.terms.start_to_close_ms,
        heartbeat_timeout_ms=command.terms.heartbeat_timeout_ms,
        priority=command.terms.priority,
        metadata=metadata,
    )


def claim(draft: Draft, position: int, *, attempt: int, worker_id: str, lease_ms: int) -> bool:
    """Give the attempt to a worker, if it is the one to be claimed now; says whether it was.

    Nothing begins once the task's deadline has passed, though nobody may have said so yet.
    """
    task = draft.state.tasks.get(position)
    claimable = task and task.status is TaskStatus.PENDING and task.due_at_ms <= draft.now_ms
    if task is None or not claimable or attempt != task.attempts + 1 or _is_past_deadline(task, draft.now_ms):
        return False
    ends_at_ms = None if task.start_to_close_ms is None else EpochMs(draft.now_ms + task.start_to_close_ms)
    task = replace(task, ends_at_ms=ends_at_ms)
    common = _common(task) | _Common(execution_count=attempt)  # type: ignore[typeddict-item]  # one key replaced
    draft.emit(
        TaskStarted(
            **common,
            status=TaskStatus.RUNNING,
            worker_id=worker_id,
            attempt=attempt,
            lease_ends_at_ms=lease_until_ms(task, draft.now_ms, lease_ms),
            ends_at_ms=ends_at_ms,
        )
    )
    return True


def lease_until_ms(task: OpenTask, now_ms: int, lease_ms: int) -> EpochMs:
    """Until when an attempt that was heard of now is its worker's.

    As long as a lease lasts, or as its heartbeat timeout allows if that is shorter; never beyond its start-to-close timeout.
    """
    until_ms = now_ms + min(lease_ms, task.heartbeat_timeout_ms or lease_ms)
    return EpochMs(min(until_ms, task.ends_at_ms or until_ms))


def complete(draft: Draft, position: int, *, attempt: int, output: Payload) -> None:
    """Record the attempt's output.

    Raises:
        Conflict: `STALE_ATTEMPT`: the attempt is not the one that is running.
    """
    task = running(draft, position, attempt)
    draft.emit(
        TaskCompleted(
            **_common(task),
            status=TaskStatus.COMPLETED,
            worker_id=task.worker_id,
            attempt=attempt,
            output=output,
        )
    )


def fail(draft: Draft, position: int, *, attempt: int, error: ErrorInfo, retryable: bool = True) -> None:
    """Record the attempt's failure: to be retried while the policy has an attempt left, else permanent.

    Args:
        retryable: false where whoever did the work says that trying again cannot help.

    Raises:
        Conflict: `STALE_ATTEMPT`: the attempt is not the one that is running.
    """
    task = running(draft, position, attempt)
    _fail(draft, task, error if retryable else replace(error, retryable=False), FailureType.ERROR)


def expire_lease(draft: Draft, position: int, *, attempt: int) -> bool:
    """Give up an attempt that is still running after its time, or whose worker fell silent; it uses an attempt."""
    task = draft.state.tasks.get(position)
    if draft.state.closed or task is None or task.status is not TaskStatus.RUNNING or task.attempts != attempt:
        return False
    error, failure_type = _overrun(task, draft.now_ms)
    _fail(draft, task, error, failure_type)
    return True


def expire_deadline(draft: Draft, position: int) -> bool:
    """Fail the task for good if it is open at its deadline, whether it runs, waits for a retry or has never begun."""
    task = draft.state.tasks.get(position)
    if draft.state.closed or task is None or not _is_past_deadline(task, draft.now_ms):
        return False
    message = f"the task had not ended by its deadline, after {task.attempts} attempts"
    _emit_failure(draft, task, ErrorInfo(type="DeadlineExceeded", message=message), FailureType.TIMEOUT)
    return True


def cancel(draft: Draft, position: int, *, command: int | None = None, reason: str | None = None) -> None:
    """Cancel the task if it is open; a settled one stays as it is.

    Args:
        command: the position of the cancel command; None at the execution's end, and for a standalone task.
        reason: why a standalone one is not to be done.
    """
    task = draft.state.tasks.get(position)
    if task is not None:
        draft.emit(
            TaskCancelled(
                **_common(task),
                status=TaskStatus.CANCELLED,
                worker_id=task.worker_id,
                command=command,
                reason=reason,
            )
        )


def is_to_stop(state: ExecutionState, position: int) -> bool:
    """Whether the execution was asked to cancel, and with it the task: one that it had asked for before, and does not shield."""
    task, asked_at = state.tasks.get(position), state.cancel_requested_at
    if task is None or asked_at is None or task.created_at > asked_at:
        return False
    return not any(group.shielded and position in group.positions() for group in state.waits)


def running(draft: Draft, position: int, attempt: int) -> OpenTask:
    """The task, if `attempt` is what is running of it.

    Raises:
        Conflict: `EXECUTION_CLOSED` or `STALE_ATTEMPT`.
    """
    if draft.state.closed:
        raise Conflict("the execution has ended", code="EXECUTION_CLOSED")
    task = draft.state.tasks.get(position)
    if task is None or task.status is not TaskStatus.RUNNING or task.attempts != attempt:
        raise Conflict(f"attempt {attempt} is no longer running", code="STALE_ATTEMPT")
    return task


def _overrun(task: OpenTask, now_ms: int) -> tuple[ErrorInfo, FailureType]:
    """Why an attempt is given up: it took too long, or it was silent for too long."""
    if task.ends_at_ms is not None and task.ends_at_ms <= now_ms:
        message = f"attempt {task.attempts} took longer than its start-to-close timeout"
        return ErrorInfo(type="StartToCloseTimeout", message=message), FailureType.TIMEOUT
    if task.heartbeat_timeout_ms is not None:
        message = f"nothing was heard of attempt {task.attempts} for its heartbeat timeout"
        return ErrorInfo(type="HeartbeatTimeout", message=message), FailureType.TIMEOUT
    message = f"worker {task.worker_id} was not heard of before its lease on attempt {task.attempts} ended"
    return ErrorInfo(type="LeaseExpired", message=message), FailureType.LEASE_EXPIRED


def _is_past_deadline(task: OpenTask, at_ms: int) -> bool:
    return task.deadline_at_ms is not None and task.deadline_at_ms <= at_ms


def _fail(draft: Draft, task: OpenTask, error: ErrorInfo, failure_type: FailureType) -> None:
    """End the attempt. If no further one may follow, or none could begin before the deadline, the task ends with it."""
    retry_at_ms = None
    is_retryable = error.retryable is not False and error.type not in (task.retry.non_retryable or ())
    if is_retryable and has_attempt_left(task.retry, attempt=task.attempts):
        delay = retry_delay_ms(task.retry, attempt=task.attempts, seed=task.task_execution_id)
        if not _is_past_deadline(task, draft.now_ms + delay):
            retry_at_ms = EpochMs(draft.now_ms + delay)
    _emit_failure(draft, task, error, failure_type, retry_at_ms)


def _emit_failure(
    draft: Draft,
    task: OpenTask,
    error: ErrorInfo,
    failure_type: FailureType,
    retry_at_ms: EpochMs | None = None,
) -> None:
    draft.emit(
        TaskFailed(
            **_common(task),
            status=TaskStatus.FAILED if retry_at_ms is None else TaskStatus.PENDING,
            worker_id=task.worker_id,
            attempt=task.attempts,
            error=error,
            failure_type=failure_type.value,
            retry_at_ms=retry_at_ms,
        )
    )


def _common(task: OpenTask) -> _Common:
    return _Common(
        task_execution_id=task.task_execution_id,
        position=task.position,
        kind=task.kind,
        execution_count=task.attempts,
        max_retries=task.retry.max_retries,
    )
