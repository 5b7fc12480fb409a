"""Tasks, timers, and what the code does itself."""

from __future__ import annotations

from dataclasses import replace

from flowstrand.engine.events import (
    Event,
    OperationCompleted,
    OperationFailed,
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
)
from flowstrand.engine.folding.settling import settle
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.state import ExecutionState, OpenTask, OpenTimer


def apply_task(
    state: ExecutionState,
    event: Event,
    data: TaskCreated | TaskStarted | TaskCompleted | TaskFailed | TaskCancelled,
) -> None:
    """A task was created, started, failed with a retry to come, or has ended."""
    state.streamed.pop(data.position, None)
    match data:
        case TaskCreated():
            state.has_begun = True
            state.tasks[data.position] = _created(event, data)
        case TaskStarted():
            state.tasks[data.position] = replace(
                state.tasks[data.position],
                status=TaskStatus.RUNNING,
                attempts=data.attempt,
                worker_id=data.worker_id,
                due_at_ms=data.lease_ends_at_ms,
                ends_at_ms=data.ends_at_ms,
                changed_at=event.sequence,
            )
        case TaskFailed(status=TaskStatus.PENDING, retry_at_ms=retry_at_ms):
            state.tasks[data.position] = replace(
                state.tasks[data.position],
                status=TaskStatus.PENDING,
                worker_id=None,
                due_at_ms=retry_at_ms or EpochMs(event.timestamp_ms),
                ends_at_ms=None,
                changed_at=event.sequence,
            )
        case TaskCompleted() | TaskFailed() | TaskCancelled():
            del state.tasks[data.position]
            if event.is_terminal:
                state.closed = data.TYPE
            else:
                settle(state, event, data.position, failed=not isinstance(data, TaskCompleted))


def _created(event: Event, data: TaskCreated) -> OpenTask:
    return OpenTask(
        position=data.position,
        task_execution_id=data.task_execution_id,
        kind=data.kind,
        queue=data.queue,
        retry=data.retry,
        attempts=0,
        status=TaskStatus.PENDING,
        due_at_ms=EpochMs(event.timestamp_ms),
        deadline_at_ms=None if data.timeout_ms is None else EpochMs(event.timestamp_ms + data.timeout_ms),
        start_to_close_ms=data.start_to_close_ms,
        heartbeat_timeout_ms=data.heartbeat_timeout_ms,
        priority=data.priority,
        created_at=event.sequence,
        changed_at=event.sequence,
    )


def apply_timer(state: ExecutionState, event: Event, data: TimerStarted | TimerFired | TimerCancelled) -> None:
    """A timer was started, or has ended."""
    if isinstance(data, TimerStarted):
        state.has_begun = True
        state.timers[data.position] = OpenTimer(
            position=data.position,
            timer_id=data.timer_id,
            fire_at_ms=data.fire_at_ms,
            changed_at=event.sequence,
        )
        return
    del state.timers[data.position]
    settle(state, event, data.position, failed=isinstance(data, TimerCancelled))


def apply_own(
    state: ExecutionState, event: Event, data: StateSet | StateCleared | OperationCompleted | OperationFailed
) -> None:
    """The code did something of its own: set a value, cleared one, ran a function."""
    state.has_begun = True
    if isinstance(data, StateSet):
        state.values[data.key] = event.sequence
    elif isinstance(data, StateCleared):
        state.values.pop(data.key, None)
