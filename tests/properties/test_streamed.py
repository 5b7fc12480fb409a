"""From a task into its log: what it emits is recorded in order, once, and all of it, or all of it up to a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from flowstrand.attempts import chunk_stream
from flowstrand.attempts.chunk_stream import ChunkStream
from flowstrand.engine.chunk import Chunk, ChunkType, StreamLimits, size_of
from flowstrand.engine.decide import stream, task
from flowstrand.engine.events import StreamToken
from flowstrand.engine.evolve import Draft
from flowstrand.errors import PayloadTooLarge
from tests.unit.engine.folded import LEASE_MS, drafted, schedule

FAULTS = st.sampled_from(["none", "request lost", "reply lost", "request repeated"])


@dataclass(kw_only=True)
class Server:
    """The decision that the real one makes, behind a network that loses and repeats; its client asks until it is answered."""

    limits: StreamLimits
    faults: list[str]
    draft: Draft = field(default_factory=drafted)

    def __post_init__(self) -> None:
        task.create(self.draft, schedule(1))
        assert task.claim(self.draft, 1, attempt=1, worker_id="w", lease_ms=LEASE_MS)

    async def deliver(self, chunks: Sequence[Chunk], request_id: str) -> None:
        while True:
            await asyncio.sleep(0)
            match self.faults.pop() if self.faults else "none":
                case "none":
                    self._append(chunks, request_id)
                    return
                case "request lost":
                    pass
                case "reply lost":
                    self._append(chunks, request_id)
                case _:
                    self._append(chunks, request_id)
                    self._append(chunks, request_id)
                    return

    def _append(self, chunks: Sequence[Chunk], request_id: str) -> None:
        stream.append(self.draft, 1, attempt=1, chunks=chunks, request_id=request_id, limits=self.limits)

    @property
    def recorded(self) -> list[object]:
        return [data.payload for data in self.draft.events if isinstance(data, StreamToken)]


async def emit_all(server: Server, texts: Sequence[str], pauses: frozenset[int]) -> str | None:
    """Emit every text, let the others work at `pauses`, and close; the code that any of it was refused with."""
    emitting = ChunkStream(server.deliver, interval_s=0)
    try:
        for number, text in enumerate(texts):
            room = emitting.emit(Chunk(type=ChunkType.TOKEN, payload=text))
            if number in pauses:
                await room
                await asyncio.sleep(0)
        await emitting.close()
    except PayloadTooLarge as refused:
        return refused.code
    finally:
        emitting.stop()
    return None


@given(
    lengths=st.lists(st.integers(1, 40_000), max_size=25),
    pauses=st.frozensets(st.integers(0, 24)),
    faults=st.lists(FAULTS, max_size=12),
    chunks=st.integers(0, 30),
    size=st.integers(0, 400_000),
    batch=st.integers(1, 10),
)
def test_a_log_has_all_that_was_emitted_or_a_beginning_of_it_and_a_refusal(
    lengths: list[int], pauses: frozenset[int], faults: list[str], chunks: int, size: int, batch: int
) -> None:
    texts = [f"{number} ".ljust(length, "x") for number, length in enumerate(lengths)]
    server = Server(limits=StreamLimits(chunks=chunks, size=size), faults=list(faults))
    usual, chunk_stream.MAX_BATCH_CHUNKS = chunk_stream.MAX_BATCH_CHUNKS, batch
    try:
        refusal = asyncio.run(emit_all(server, texts, pauses))
    finally:
        chunk_stream.MAX_BATCH_CHUNKS = usual

    recorded = server.recorded
    assert recorded == texts[: len(recorded)]
    fits = (not chunks or len(texts) <= chunks) and (not size or sum(map(size_of, texts)) <= size)
    assert refusal == (None if fits else "STREAM_LIMIT_REACHED")
    assert fits == (len(recorded) == len(texts))
