"""`evolve(state, event) -> state`: the fold, and `Draft`, which folds what a decision emits as it emits it."""

from __future__ import annotations

from collections.abc import Iterable

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
from flowstrand.engine.folding.children import apply_child, apply_child_cancellation
from flowstrand.engine.folding.outside import apply_from_outside, apply_promise, apply_request
from flowstrand.engine.folding.work import apply_own, apply_task, apply_timer
from flowstrand.engine.state import (
    ExecutionState,
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
    """What the event that a log begins with says: an execution's start, or the creation of a standalone task."""
    match event.data:
        case WorkflowStarted() as started if event.sequence == 1:
            return _begun(event, started)
        case TaskCreated(position=ids.ROOT) as created if event.sequence == 1:
            return _created(event, created)
        case _:
            raise LogCorrupted(f"no log begins with {event.type} at {event.sequence}")


def _created(event: Event, created: TaskCreated) -> ExecutionState:
    state = ExecutionState(
        workflow_execution_id=created.task_execution_id,
        kind=created.kind,
        queue=created.queue,
        metadata=created.metadata,
        trace=created.trace,
        created_at_ms=event.timestamp_ms,
        sequence=1,
        timestamp_ms=event.timestamp_ms,
    )
    apply_task(state, event, created)
    return state


def _begun(event: Event, started: WorkflowStarted) -> ExecutionState:
    return ExecutionState(
        workflow_execution_id=started.workflow_execution_id,
        kind=started.kind,
        queue=started.queue,
        version=started.version,
        metadata=started.metadata,
        parent=started.parent,
        trace=started.trace,
        timeout_at_ms=started.timeout_at_ms,
        retry_of=started.retry_of,
        is_copying=started.retry_of is not None,
        created_at_ms=event.timestamp_ms,
        sequence=1,
        timestamp_ms=event.timestamp_ms,
    )


def _check_order(state: ExecutionState, event: Event) -> None:
    if event.sequence != state.sequence + 1:
        raise LogCorrupted(f"event {event.sequence} cannot follow event {state.sequence}")
    if state.closed:
        raise LogCorrupted(f"{event.type} at {event.sequence} follows {state.closed}")
    if isinstance(event.data, WorkflowStarted | TaskCreated) and _is_root(event.data):
        raise LogCorrupted(f"{event.type} at {event.sequence} is not the beginning of its log")


def _is_root(data: WorkflowStarted | TaskCreated) -> bool:
    return isinstance(data, WorkflowStarted) or data.position == ids.ROOT


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
            apply_task(state, event, data)
        case TimerStarted() | TimerFired() | TimerCancelled():
            apply_timer(state, event, data)
        case PromiseCreated() | PromiseResolved() | PromiseRejected() | PromiseTimedOut():
            apply_promise(state, event, data)
        case ChildInitiated() | ChildStarted() | ChildCompleted() | ChildFailed():
            apply_child(state, event, data)
        case ChildCancellationRequested() | ChildCancellationFailed():
            apply_child_cancellation(state, event, data)
        case SignalReceived() | CancellationRequested():
            apply_from_outside(state, event, data)
        case StateSet() | StateCleared() | OperationCompleted() | OperationFailed():
            apply_own(state, event, data)
        case RetryRequested() | StreamToken() | StreamProgress() | StreamData() | StreamError():
            apply_request(state, event, data)
        case _:
            pass  # facts that open nothing


def _mark_turn(state: ExecutionState, data: WorkflowSuspended | WorkflowResumed) -> None:
    state.has_begun = True
    state.turn_marker = data.TYPE
    if isinstance(data, WorkflowSuspended):
        state.horizon, state.waits = data.horizon, data.waits
        state.settlements = {p: s for p, s in state.settlements.items() if s.sequence > data.horizon}
        state.signals = {sequence: name for sequence, name in state.signals.items() if sequence > data.horizon}
        state.observed = tuple(sequence for sequence in state.observed if sequence > data.horizon)
