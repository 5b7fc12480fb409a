"""`evolve(state, event) -> state`: the fold, and `Draft`, which folds what a decision emits as it emits it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from flowstrand.engine.events import (
    CancellationRequested,
    ChildCancellationFailed,
    ChildCancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    Event,
    EventData,
    OperationCompleted,
    OperationFailed,
    PromiseCreated,
    PromiseRejected,
    PromiseResolved,
    PromiseTimedOut,
    RetryRequested,
    SignalReceived,
    StateCleared,
    StateSet,
    StreamData,
    StreamError,
    StreamProgress,
    StreamToken,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStarted,
    TaskStatus,
    TimerCancelled,
    TimerFired,
    TimerStarted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowResumed,
    WorkflowStarted,
    WorkflowSuspended,
)
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.state import (
    REMEMBERED_REQUESTS,
    ExecutionState,
    OpenChild,
    OpenPromise,
    OpenTask,
    OpenTimer,
    Settlement,
    chunk_request,
)
from flowstrand.errors import LogCorrupted


def evolve(state: ExecutionState | None, event: Event) -> ExecutionState:
    """The state after `event`.

    Raises:
        LogCorrupted: `event` cannot follow: a gap, or something after the end.
    """
    return fold(state, [event])


def fold(state: ExecutionState | None, events: Iterable[Event]) -> ExecutionState:
    """The state after `events`, in order; `state` is None for an empty log.

    Raises:
        LogCorrupted: an event cannot follow the one before it, or there is none at all.
    """
    draft = state.copy() if state else None
    for event in events:
        if draft is None:
            draft = _first(event)
        else:
            _check_order(draft, event)
            _apply(draft, event)
    if draft is None:
        raise LogCorrupted("there is no event to fold")
    return draft


class Draft:
    """A decision in the making: each event emitted is folded at once, so that the next is decided behind it.

    Attributes:
        state: after everything emitted so far.
        events: what was emitted; the first will have `first_sequence`.
    """

    def __init__(self, state: ExecutionState, now_ms: int) -> None:
        self.state = state.copy()
        self.now_ms = max(now_ms, state.timestamp_ms)
        self.events: list[EventData] = []
        self.first_sequence = state.sequence + 1

    def emit(self, *events: EventData) -> None:
        """Add `events` to the decision."""
        for data in events:
            event = Event(sequence=self.state.sequence + 1, timestamp_ms=self.now_ms, data=data)
            _check_order(self.state, event)
            _apply(self.state, event)
            self.events.append(data)


def _first(event: Event) -> ExecutionState:
    started = event.data
    if event.sequence != 1 or not isinstance(started, WorkflowStarted):
        raise LogCorrupted(f"a log begins with WORKFLOW_STARTED at 1, not with {event.type} at {event.sequence}")
    return ExecutionState(
        workflow_execution_id=started.workflow_execution_id,
        kind=started.kind,
        queue=started.queue,
        version=started.version,
        metadata=started.metadata,
        parent=started.parent,
        timeout_at_ms=started.timeout_at_ms,
        created_at_ms=event.timestamp_ms,
        sequence=1,
        timestamp_ms=event.timestamp_ms,
    )


def _check_order(state: ExecutionState, event: Event) -> None:
    if event.sequence != state.sequence + 1:
        raise LogCorrupted(f"event {event.sequence} cannot follow event {state.sequence}")
    if state.closed:
        raise LogCorrupted(f"{event.type} at {event.sequence} follows {state.closed}")
    if isinstance(event.data, WorkflowStarted):
        raise LogCorrupted(f"{event.type} at {event.sequence} is not the beginning of its log")


def _apply(state: ExecutionState, event: Event) -> None:
    state.sequence, state.timestamp_ms = event.sequence, event.timestamp_ms
    try:
        _fold_in(state, event, event.data)
    except KeyError as error:
        raise LogCorrupted(f"{event.type} at {event.sequence}: nothing is open at position {error}") from error


def _fold_in(state: ExecutionState, event: Event, data: EventData) -> None:
    match data:
        case WorkflowSuspended() | WorkflowResumed():
            _mark_turn(state, data)
        case WorkflowCompleted() | WorkflowFailed() | WorkflowCancelled():
            state.closed = data.TYPE
            state.continued_as = data.continued_as if isinstance(data, WorkflowCompleted) else None
        case TaskCreated() | TaskStarted() | TaskCompleted() | TaskFailed() | TaskCancelled():
            _apply_task(state, event, data)
        case TimerStarted() | TimerFired() | TimerCancelled():
            _apply_timer(state, event, data)
        case PromiseCreated() | PromiseResolved() | PromiseRejected() | PromiseTimedOut():
            _apply_promise(state, event, data)
        case ChildInitiated() | ChildStarted() | ChildCompleted() | ChildFailed():
            _apply_child(state, event, data)
        case ChildCancellationRequested() | ChildCancellationFailed():
            _apply_child_cancellation(state, event, data)
        case SignalReceived() | CancellationRequested():
            _apply_from_outside(state, event, data)
        case StateSet() | StateCleared() | OperationCompleted() | OperationFailed():
            _apply_own(state, event, data)
        case RetryRequested() | StreamToken() | StreamProgress() | StreamData() | StreamError():
            _apply_request(state, event, data)
        case _:
            pass  # facts that open nothing


def _apply_from_outside(state: ExecutionState, event: Event, data: SignalReceived | CancellationRequested) -> None:
    _remember(state.requests, data.request_id, event.sequence)
    if isinstance(data, SignalReceived):
        state.signals[event.sequence] = data.name
    elif state.cancel_requested_at is not None:
        return
    else:
        state.cancel_requested_at, state.is_cancel_cascading = event.sequence, data.cascade
    _observe(state, event)


def _apply_request(
    state: ExecutionState,
    event: Event,
    data: RetryRequested | StreamToken | StreamProgress | StreamData | StreamError,
) -> None:
    if isinstance(data, RetryRequested):
        _remember(state.requests, data.request_id, event.sequence)
    elif data.request_id is not None:
        request = chunk_request(data.task_execution_id, data.attempt, data.request_id)
        _remember(state.chunk_requests, request, event.sequence)


def _apply_own(
    state: ExecutionState, event: Event, data: StateSet | StateCleared | OperationCompleted | OperationFailed
) -> None:
    state.has_begun = True
    if isinstance(data, StateSet):
        state.values[data.key] = event.sequence
    elif isinstance(data, StateCleared):
        state.values.pop(data.key, None)


def _remember(requests: dict[str, int], request_id: str | None, sequence: int) -> None:
    """Note what answers a repetition of the request, as the newest; the oldest beyond the limit is forgotten."""
    if request_id is None:
        return
    requests.pop(request_id, None)
    requests[request_id] = sequence
    if len(requests) > REMEMBERED_REQUESTS:
        del requests[next(iter(requests))]


def _mark_turn(state: ExecutionState, data: WorkflowSuspended | WorkflowResumed) -> None:
    state.has_begun = True
    state.turn_marker = data.TYPE
    if isinstance(data, WorkflowSuspended):
        state.horizon, state.waits = data.horizon, data.waits
        state.settlements = {p: s for p, s in state.settlements.items() if s.sequence > data.horizon}
        state.signals = {sequence: name for sequence, name in state.signals.items() if sequence > data.horizon}
        state.observed = tuple(sequence for sequence in state.observed if sequence > data.horizon)


def _apply_task(
    state: ExecutionState,
    event: Event,
    data: TaskCreated | TaskStarted | TaskCompleted | TaskFailed | TaskCancelled,
) -> None:
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
            _settle(state, event, data.position, failed=not isinstance(data, TaskCompleted))


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


def _apply_timer(state: ExecutionState, event: Event, data: TimerStarted | TimerFired | TimerCancelled) -> None:
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
    _settle(state, event, data.position, failed=isinstance(data, TimerCancelled))


def _apply_promise(
    state: ExecutionState,
    event: Event,
    data: PromiseCreated | PromiseResolved | PromiseRejected | PromiseTimedOut,
) -> None:
    if isinstance(data, PromiseCreated):
        state.has_begun = True
        state.promises[data.position] = OpenPromise(
            position=data.position,
            promise_id=data.promise_id,
            name=data.name,
            key=data.key,
            timeout_at_ms=data.timeout_at_ms,
            changed_at=event.sequence,
        )
        return
    del state.promises[data.position]
    _settle(state, event, data.position, failed=not isinstance(data, PromiseResolved))


def _apply_child(
    state: ExecutionState, event: Event, data: ChildInitiated | ChildStarted | ChildCompleted | ChildFailed
) -> None:
    match data:
        case ChildInitiated():
            state.has_begun = True
            state.children[data.position] = OpenChild(
                position=data.position,
                child_workflow_id=data.child_workflow_id,
                kind=data.kind,
                name=data.name,
                queue=data.queue,
                is_started=False,
                parent_close_policy=data.parent_close_policy,
                initiated_at=event.sequence,
                changed_at=event.sequence,
            )
        case ChildStarted():
            child = state.children[data.position]
            state.children[data.position] = replace(child, is_started=True, changed_at=event.sequence)
        case ChildCompleted() | ChildFailed():
            del state.children[data.position]
            _settle(state, event, data.position, failed=isinstance(data, ChildFailed))


def _apply_child_cancellation(
    state: ExecutionState, event: Event, data: ChildCancellationRequested | ChildCancellationFailed
) -> None:
    child = state.children[data.position]
    if isinstance(data, ChildCancellationFailed):
        child = replace(child, is_cancel_failed=True, changed_at=event.sequence)
    else:
        forced = child.is_forced or bool(data.force)
        child = replace(child, cancel_at=event.sequence, is_forced=forced, changed_at=event.sequence)
    state.children[data.position] = child


def _settle(state: ExecutionState, event: Event, position: int, *, failed: bool) -> None:
    state.settlements[position] = Settlement(event.sequence, failed)
    _observe(state, event)


def _observe(state: ExecutionState, event: Event) -> None:
    state.observed = (*state.observed, event.sequence)
