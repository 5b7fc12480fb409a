"""`ChunkStream`: what one attempt emits, on its way to the server: in order, in batches, none lost and none doubled."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from flowstrand.attempts.batching import first_batch
from flowstrand.engine.chunk import Chunk
from flowstrand.errors import DeadContext

MAX_BATCH_CHUNKS, MAX_BATCH_BYTES = 100, 64 * 1_024
"""What one request brings at most, but for a chunk that alone is larger."""
MAX_QUEUED_CHUNKS, MAX_QUEUED_BYTES = 1_000, 1024 * 1_024
"""What may wait to be sent before those who emit must wait as well."""
INTERVAL_S = 0.05
"""How long a chunk waits for others to be sent with."""

Deliver: TypeAlias = Callable[[Sequence[Chunk], str], Awaitable[None]]
"""Sends a batch under a request id, again and again until it is answered. Raises what it was refused with."""


class ChunkStream:
    """Sends one batch at a time. Whoever emits faster than the server records is slowed down.

    Chunks can be emitted from any thread. On the event loop's, awaiting what `emit` returns waits for room; on any other,
    `emit` itself does.
    """

    def __init__(self, deliver: Deliver, *, interval_s: float = INTERVAL_S) -> None:
        """Made on the event loop that sends."""
        self._deliver = deliver
        self._interval_s = interval_s
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._room = threading.Condition()
        self._queue: deque[tuple[Chunk, int]] = deque()
        self._bytes = 0
        self._refusal: Exception | None = None
        self._is_closed = False
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._has_room = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None

    # --- emitting -----------------------------------------------------------------------------

    def emit(self, chunk: Chunk) -> Awaitable[None]:
        """Take a chunk, to be sent after all before it.

        Raises:
            DeadContext: the attempt has ended.
            Exception: what earlier chunks were refused with, or `refuse` was called with.
        """
        with self._room:
            self._require_open()
            size = _size(chunk)
            self._queue.append((chunk, size))
            self._bytes += size
            if threading.get_ident() != self._thread:
                self._loop.call_soon_threadsafe(self._notice)
                self._room.wait_for(lambda: self._refusal or not self._is_full())
                if self._refusal:
                    raise self._refusal
                return _Room(None)
        self._notice()
        return _Room(self)

    async def has_room(self) -> None:
        """Return when more may be emitted.

        Raises:
            Exception: what the chunks were refused with.
        """
        while self._is_full() and self._refusal is None:
            self._has_room.clear()
            await self._has_room.wait()
        if self._refusal:
            raise self._refusal

    def _require_open(self) -> None:
        if self._refusal:
            raise self._refusal
        if self._is_closed:
            raise DeadContext("the attempt has ended: nothing more can be streamed")

    def _is_full(self) -> bool:
        return len(self._queue) > MAX_QUEUED_CHUNKS or self._bytes > MAX_QUEUED_BYTES

    # --- ending -------------------------------------------------------------------------------

    async def close(self) -> None:
        """Take no more, and return when everything taken has been recorded.

        Raises:
            Exception: what the chunks were refused with.
        """
        with self._room:
            self._is_closed = True
        self._hurry.set()
        self._notice()
        if self._sender is not None:
            await asyncio.wait({self._sender})
        if self._refusal:
            raise self._refusal

    def refuse(self, error: Exception) -> None:
        """Nothing more will be sent: drop what waits, and raise `error` to whoever emits. The first refusal counts."""
        with self._room:
            self._refusal = self._refusal or error
            self._queue.clear()
            self._bytes = 0
            self._room.notify_all()
        self._has_room.set()
        self._changed.set()

    def stop(self) -> None:
        """End at once, whatever is under way."""
        self.refuse(DeadContext("the attempt has ended: nothing more can be streamed"))
        if self._sender is not None:
            self._sender.cancel()

    # --- sending ------------------------------------------------------------------------------

    def _notice(self) -> None:
        """Something was emitted, or the stream was closed; on the loop's thread."""
        if self._sender is None and self._queue:
            self._sender = self._loop.create_task(self._send_everything())
        if self._is_batch():
            self._hurry.set()
        self._changed.set()

    async def _send_everything(self) -> None:
        while self._refusal is None:
            if self._queue:
                await self._gather()
                await self._send_batch()
            elif self._is_closed:
                return
            else:
                self._changed.clear()
                await self._changed.wait()

    async def _gather(self) -> None:
        """Wait a moment for more to be sent in the same request, unless there is enough or the end has come."""
        if not self._is_closed and not self._is_batch():
            self._hurry.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._interval_s)

    async def _send_batch(self) -> None:
        batch = self._first()
        if not batch:
            return
        try:
            await self._deliver([chunk for chunk, _ in batch], uuid.uuid4().hex)
        except Exception as error:  # noqa: BLE001 - handed to whoever emits or closes
            self.refuse(error)
            return
        with self._room:
            if self._refusal is None:
                for _, size in batch:
                    self._queue.popleft()
                    self._bytes -= size
            self._room.notify_all()
        self._has_room.set()

    def _first(self) -> list[tuple[Chunk, int]]:
        """What the next request brings: at least one chunk, if there is any."""
        with self._room:
            return first_batch(self._queue, most=MAX_BATCH_CHUNKS, most_bytes=MAX_BATCH_BYTES)

    def _is_batch(self) -> bool:
        return len(self._queue) >= MAX_BATCH_CHUNKS or self._bytes >= MAX_BATCH_BYTES


class _Room(Awaitable[None]):
    """Room for more chunks; awaiting it is optional. None has room already."""

    def __init__(self, stream: ChunkStream | None) -> None:
        self._stream = stream

    def __await__(self) -> Generator[Any, None, None]:
        if self._stream is not None:
            yield from self._stream.has_room().__await__()


def _size(chunk: Chunk) -> int:
    """Bytes of its values as JSON, about."""
    return len(json.dumps([chunk.payload, chunk.details], ensure_ascii=False).encode())
