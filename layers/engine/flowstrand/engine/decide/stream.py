"""What a running task emits: one `STREAM_*` event for each chunk. They have no effects and wake nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, assert_never

from flowstrand.engine.chunk import Chunk, ChunkType, StreamLimits, size_of
from flowstrand.engine.decide import task
from flowstrand.engine.events import StreamData, StreamError, StreamProgress, StreamToken
from flowstrand.engine.events.event import StreamEvent
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import TASK, operation_id
from flowstrand.engine.state import ExecutionState, Streamed, chunk_request
from flowstrand.errors import PayloadTooLarge

LIMIT_REACHED = "STREAM_LIMIT_REACHED"
"""The code of a refusal after which an attempt may emit no more."""
_UNLIMITED = StreamLimits()


class _Common(TypedDict):
    task_execution_id: str
    attempt: int
    request_id: str | None


def append(
    draft: Draft,
    position: int,
    *,
    attempt: int,
    chunks: Sequence[Chunk],
    request_id: str | None = None,
    limits: StreamLimits = _UNLIMITED,
) -> int:
    """Record chunks in their order, unless this request has been recorded; returns the sequence of its last event.

    Args:
        chunks: at least one.
        request_id: the caller's own, unique within the attempt.
        limits: of all that the attempt emits.

    Raises:
        Conflict: `EXECUTION_CLOSED` or `STALE_ATTEMPT`: the attempt is not the one that is running.
        PayloadTooLarge: `STREAM_LIMIT_REACHED`: with all of them, it would have emitted more than it may.
    """
    recorded = recorded_at(draft.state, position, attempt=attempt, request_id=request_id)
    if recorded is not None:
        return recorded
    running = task.running(draft, position, attempt)
    require_room(draft.state, position, chunks, limits)
    common = _Common(task_execution_id=running.task_execution_id, attempt=attempt, request_id=request_id)
    draft.emit(*(_event(chunk, common) for chunk in chunks))
    return draft.state.sequence


def require_room(state: ExecutionState, position: int, chunks: Sequence[Chunk], limits: StreamLimits) -> None:
    """Raises `PayloadTooLarge` where the running attempt may not emit so much more."""
    before = state.streamed.get(position, Streamed())
    count = before.chunks + len(chunks)
    if limits.chunks and count > limits.chunks:
        raise _too_much(f"an attempt may stream {limits.chunks} values, and with these it would have {count}")
    size = before.size + sum(size_of(chunk.payload) + size_of(chunk.details) for chunk in chunks)
    if limits.size and size > limits.size:
        raise _too_much(f"an attempt may stream {limits.size} bytes, and with these it would have {size}")


def _too_much(message: str) -> PayloadTooLarge:
    return PayloadTooLarge(message, code=LIMIT_REACHED)


def recorded_at(state: ExecutionState, position: int, *, attempt: int, request_id: str | None) -> int | None:
    """The sequence that answers a repetition of the request; None for a new one, and for one long forgotten."""
    if request_id is None:
        return None
    task_execution_id = operation_id(state.workflow_execution_id, TASK, position)
    return state.chunk_requests.get(chunk_request(task_execution_id, attempt, request_id))


def _event(chunk: Chunk, common: _Common) -> StreamEvent:
    match chunk.type:
        case ChunkType.TOKEN:
            return StreamToken(**common, payload=chunk.payload)
        case ChunkType.PROGRESS:
            return StreamProgress(**common, payload=chunk.payload, details=chunk.details)
        case ChunkType.DATA:
            return StreamData(**common, payload=chunk.payload)
        case ChunkType.ERROR:
            return StreamError(**common, payload=chunk.payload)
        case _:
            assert_never(chunk.type)
