"""The worker's chunk stream: order, batches, backpressure, and nothing lost without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from flowstrand.attempts.chunk_stream import MAX_BATCH_BYTES, MAX_BATCH_CHUNKS, MAX_QUEUED_CHUNKS, ChunkStream
from flowstrand.engine.chunk import Chunk, ChunkType
from flowstrand.errors import Conflict, DeadContext

pytestmark = pytest.mark.anyio

NEVER_S = 3_600.0
"""An interval that no test waits for: batches are sent because they are full, or because the stream is closed."""
STALE = Conflict("stale", code="STALE_ATTEMPT")


class Server:
    """Records batches, while its gate is open."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.request_ids: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.refusal: Exception | None = None

    async def deliver(self, chunks: Sequence[Chunk], request_id: str) -> None:
        self.asked.set()
        await self.gate.wait()
        if self.refusal:
            raise self.refusal
        self.batches.append([chunk.payload for chunk in chunks])
        self.request_ids.append(request_id)

    @property
    def received(self) -> list[Any]:
        return [payload for batch in self.batches for payload in batch]


def data(payload: Any) -> Chunk:
    return Chunk(type=ChunkType.DATA, payload=payload)


@pytest.fixture
async def server() -> Server:
    return Server()


async def test_what_is_emitted_together_is_sent_together_when_the_stream_closes(server: Server) -> None:
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)
    for number in range(3):
        stream.emit(data(number))
    await stream.close()
    assert server.batches == [[0, 1, 2]]


async def test_a_chunk_waits_no_longer_than_the_interval(server: Server) -> None:
    stream = ChunkStream(server.deliver, interval_s=0.0)
    stream.emit(data(1))
    await asyncio.wait_for(server.asked.wait(), 10)
    await stream.close()
    assert server.batches == [[1]]


async def test_a_full_batch_is_sent_at_once_and_in_order(server: Server) -> None:
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)
    numbers = list(range(2 * MAX_BATCH_CHUNKS + 1))
    for number in numbers:
        stream.emit(data(number))
    await asyncio.wait_for(server.asked.wait(), 10)
    await stream.close()
    assert server.received == numbers
    assert [len(batch) for batch in server.batches] == [MAX_BATCH_CHUNKS, MAX_BATCH_CHUNKS, 1]
    assert len(set(server.request_ids)) == 3


async def test_a_batch_is_bounded_in_bytes_and_a_larger_chunk_is_sent_alone(server: Server) -> None:
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)
    large, small = "x" * (MAX_BATCH_BYTES + 1), "x" * (MAX_BATCH_BYTES // 2)
    for payload in ("a", large, small, small, "b"):
        stream.emit(data(payload))
    await stream.close()
    assert server.batches == [["a"], [large], [small], [small, "b"]]


async def test_awaiting_waits_while_too_much_is_queued(server: Server) -> None:
    server.gate.clear()
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)
    for number in range(MAX_QUEUED_CHUNKS):
        await stream.emit(data(number))
    room = asyncio.ensure_future(stream.emit(data("one too many")))
    await asyncio.wait_for(server.asked.wait(), 10)
    assert not room.done()
    server.gate.set()
    await asyncio.wait_for(room, 10)
    await stream.close()
    assert len(server.received) == MAX_QUEUED_CHUNKS + 1


async def test_what_is_not_awaited_is_queued_all_the_same(server: Server) -> None:
    server.gate.clear()
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)
    numbers = list(range(2 * MAX_QUEUED_CHUNKS))
    for number in numbers:
        stream.emit(data(number))
    server.gate.set()
    await stream.close()
    assert server.received == numbers


async def test_a_thread_waits_inside_the_call_while_too_much_is_queued(server: Server) -> None:
    server.gate.clear()
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)
    numbers = list(range(2 * MAX_QUEUED_CHUNKS))
    emitted: list[int] = []

    def emit_all() -> None:
        for number in numbers:
            stream.emit(data(number))
            emitted.append(number)

    thread = asyncio.create_task(asyncio.to_thread(emit_all))
    await asyncio.wait_for(server.asked.wait(), 10)
    server.gate.set()
    await asyncio.wait_for(thread, 10)
    await stream.close()
    assert server.received == numbers


async def test_a_thread_is_let_go_when_its_chunks_are_refused(server: Server) -> None:
    server.gate.clear()
    server.refusal = STALE
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)

    def emit_for_ever() -> None:
        while True:
            stream.emit(data("x"))

    thread = asyncio.create_task(asyncio.to_thread(emit_for_ever))
    await asyncio.wait_for(server.asked.wait(), 10)
    server.gate.set()
    with pytest.raises(Conflict):
        await asyncio.wait_for(thread, 10)


async def test_a_refusal_is_raised_to_whoever_waits_emits_or_closes(server: Server) -> None:
    server.gate.clear()
    server.refusal = STALE
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)
    for number in range(MAX_QUEUED_CHUNKS):
        await stream.emit(data(number))
    room = asyncio.ensure_future(stream.emit(data("one too many")))
    await asyncio.wait_for(server.asked.wait(), 10)
    server.gate.set()
    for call in (room, stream.close()):
        with pytest.raises(Conflict):
            await asyncio.wait_for(call, 10)
    with pytest.raises(Conflict):
        stream.emit(data("late"))
    assert server.received == []


async def test_nothing_can_be_emitted_once_it_is_closed(server: Server) -> None:
    stream = ChunkStream(server.deliver)
    await stream.close()
    with pytest.raises(DeadContext):
        stream.emit(data("late"))


async def test_a_thread_that_waits_is_let_go_when_the_stream_is_stopped(server: Server) -> None:
    server.gate.clear()
    stream = ChunkStream(server.deliver, interval_s=NEVER_S)

    def emit_for_ever() -> None:
        while True:
            stream.emit(data("x"))

    thread = asyncio.create_task(asyncio.to_thread(emit_for_ever))
    await asyncio.wait_for(server.asked.wait(), 10)
    stream.stop()
    with pytest.raises(DeadContext):
        await asyncio.wait_for(thread, 10)
