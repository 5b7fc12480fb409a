"""What comes from outside: promises, signals, cancellation, and the ids of requests."""

from __future__ import annotations

from dataclasses import replace

from flowstrand.engine.chunk import size_of
from flowstrand.engine.events import (
    CancellationRequested,
    Event,
    PromiseCreated,
    PromiseRejected,
    PromiseResolved,
    PromiseTimedOut,
    RetryRequested,
    SignalReceived,
    StreamData,
    StreamError,
    StreamProgress,
    StreamToken,
)
from flowstrand.engine.folding.settling import observe, settle
from flowstrand.engine.ids import owner_of
from flowstrand.engine.state import REMEMBERED_REQUESTS, ExecutionState, OpenPromise, Streamed, chunk_request


def apply_promise(
    state: ExecutionState,
    event: Event,
    data: PromiseCreated | PromiseResolved | PromiseRejected | PromiseTimedOut,
) -> None:
    """A promise was created, or has been settled."""
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
    settle(state, event, data.position, failed=not isinstance(data, PromiseResolved))


def apply_from_outside(state: ExecutionState, event: Event, data: SignalReceived | CancellationRequested) -> None:
    """Somebody sent a signal, or asked for the execution to end."""
    _remember(state.requests, data.request_id, event.sequence)
    if isinstance(data, SignalReceived):
        state.signals[event.sequence] = data.name
    elif state.cancel_requested_at is not None:
        return
    else:
        state.cancel_requested_at, state.is_cancel_cascading = event.sequence, data.cascade
    observe(state, event)


def apply_request(
    state: ExecutionState,
    event: Event,
    data: RetryRequested | StreamToken | StreamProgress | StreamData | StreamError,
) -> None:
    """A request whose repetition must be known: a retry, or chunks of a running task."""
    if isinstance(data, RetryRequested):
        _remember(state.requests, data.request_id, event.sequence)
        _end_of_copy(state, event)
        return
    if data.request_id is not None:
        request = chunk_request(data.task_execution_id, data.attempt, data.request_id)
        _remember(state.chunk_requests, request, event.sequence)
    _count(state, data)


def _count(state: ExecutionState, data: StreamToken | StreamProgress | StreamData | StreamError) -> None:
    """Add to what the running attempt has emitted."""
    position = owner_of(data.task_execution_id)[2]
    if position not in state.tasks:
        return
    details = data.details if isinstance(data, StreamProgress) else None
    before = state.streamed.get(position, Streamed())
    state.streamed[position] = Streamed(
        chunks=before.chunks + 1, size=before.size + size_of(data.payload) + size_of(details)
    )


def _end_of_copy(state: ExecutionState, event: Event) -> None:
    """All that was to be copied is there. Whichever child has begun by now was begun by the execution retried."""
    state.is_copying = False
    for position, child in state.children.items():
        if child.is_started:
            state.children[position] = replace(child, is_adopted=True, changed_at=event.sequence)


def _remember(requests: dict[str, int], request_id: str | None, sequence: int) -> None:
    """Note what answers a repetition of the request, as the newest; the oldest beyond the limit is forgotten."""
    if request_id is None:
        return
    requests.pop(request_id, None)
    requests[request_id] = sequence
    if len(requests) > REMEMBERED_REQUESTS:
        del requests[next(iter(requests))]
