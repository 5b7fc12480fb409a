"""Tasks: create, claim, complete, fail (with retry), give up a silent worker, cancel."""

from __future__ import annotations

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
from flowstrand.engine.state import OpenTask
from flowstrand.errors import Conflict


class _Common(TypedDict):
    task_execution_id: str
    position: int
    kind: str
    execution_count: int
    max_retries: int


def create(draft: Draft, command: ScheduleTask) -> None:
    """Record that workflow code asked for a task."""
    draft.emit(
        TaskCreated(
            task_execution_id=ids.operation_id(draft.state.workflow_execution_id, ids.TASK, command.position),
            position=command.position,
            kind=command.kind,
            status=TaskStatus.PENDING,
            execution_count=0,
            max_retries=command.retry.max_retries,
            input=command.input,
            queue=command.queue,
            retry=command.retry,
        )
    )


def claim(draft: Draft, position: int, *, attempt: int, worker_id: str, lease_ms: int) -> bool:
    """Give the attempt to a worker, if it is the one to be claimed now; says whether it was."""
    task = draft.state.tasks.get(position)
    claimable = task and task.status is TaskStatus.PENDING and task.due_at_ms <= draft.now_ms
    if task is None or not claimable or attempt != task.attempts + 1:
        return False
    common = _common(task) | _Common(execution_count=attempt)  # type: ignore[typeddict-item]  # one key replaced
    draft.emit(
        TaskStarted(
            **common,
            status=TaskStatus.RUNNING,
            worker_id=worker_id,
            attempt=attempt,
            lease_ends_at_ms=EpochMs(draft.now_ms + lease_ms),
        )
    )
    return True


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

    Raises:
        Conflict: `STALE_ATTEMPT`: the attempt is not the one that is running.
    """
    _fail(draft, running(draft, position, attempt), error, FailureType.ERROR, retryable)


def expire_lease(draft: Draft, position: int, *, attempt: int) -> bool:
    """Give up an attempt whose worker fell silent, if it is still running; a lost lease uses an attempt."""
    task = draft.state.tasks.get(position)
    if task is None or task.status is not TaskStatus.RUNNING or task.attempts != attempt:
        return False
    message = f"worker {task.worker_id} was not heard of before its lease on attempt {attempt} ended"
    _fail(draft, task, ErrorInfo(type="LeaseExpired", message=message), FailureType.LEASE_EXPIRED, True)
    return True


def cancel(draft: Draft, position: int, *, command: int | None = None) -> None:
    """Cancel the task if it is open; a settled one stays as it is.

    Args:
        command: the position of the cancel command; None at the execution's end.
    """
    task = draft.state.tasks.get(position)
    if task is not None:
        draft.emit(
            TaskCancelled(**_common(task), status=TaskStatus.CANCELLED, worker_id=task.worker_id, command=command)
        )


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


def _fail(draft: Draft, task: OpenTask, error: ErrorInfo, failure_type: FailureType, retryable: bool) -> None:
    retry_at_ms = None
    if retryable and has_attempt_left(task.retry, attempt=task.attempts):
        delay = retry_delay_ms(task.retry, attempt=task.attempts, seed=task.task_execution_id)
        retry_at_ms = EpochMs(draft.now_ms + delay)
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
