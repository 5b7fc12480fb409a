"""`StreamSender`: sends a streaming handler's response, at the client's pace, and closes it when nobody wants more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from anyio import CancelScope
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from flowstrand.local.waiter import StopSignal
from flowstrand.streams.response import StreamResponse


class StreamSender(StreamingResponse):
    """The next chunk is asked for only when the one before has been taken by the connection.

    A response is cut short between two chunks when the server stops; the client resumes with the next server.
    """

    def __init__(self, answer: StreamResponse, stopping: StopSignal) -> None:
        self._chunks = _Chunks(_single(b"") if answer.body is None else answer.body, stopping)
        super().__init__(self._chunks, status_code=answer.status, headers=answer.headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, or as much as the client stays for."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Shielded: after a disconnect this task is cancelled, and the reader must still be closed.
            with CancelScope(shield=True):
                await self._chunks.aclose()


class _Chunks:
    """The chunks of a body, until it ends or the server stops."""

    def __init__(self, body: AsyncIterator[bytes], stopping: StopSignal) -> None:
        self._body = body
        self._stopping = stopping
        self._stop: asyncio.Future[None] | None = None
        self._next: asyncio.Future[bytes] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._stop is None:
            self._stop = asyncio.ensure_future(self._stopping.wait())
        self._next = asyncio.ensure_future(anext(self._body))
        either: set[asyncio.Future[Any]] = {self._next, self._stop}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._next.done():
            raise StopAsyncIteration
        return self._next.result()

    async def aclose(self) -> None:
        """End what is still waiting, then the body."""
        waiting = [future for future in (self._next, self._stop) if future is not None]
        for future in waiting:
            future.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        close = getattr(self._body, "aclose", None)
        if close is not None:
            await close()


async def _single(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
