"""`StreamSender`: sends a streaming handler's response, at the client's pace, and closes it when nobody wants more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from anyio import CancelScope
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from flowstrand.local.waiter import StopSignal
from flowstrand.streams.response import StreamResponse


class StreamSender(Response):
    """The next chunk is asked for only when the one before has been taken by the connection.

    A response is cut short between two chunks when the server stops; the client resumes with the next server. A chunk costs no task:
    one sends them all, and one listens for the client's leaving.
    """

    def __init__(self, answer: StreamResponse, stopping: StopSignal) -> None:
        self.body_iterator = _single(b"") if answer.body is None else answer.body
        self.status_code = answer.status
        self.background = None
        self.init_headers(answer.headers)
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Send it all, or as much as the client stays for."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if await self._is_sent(receive, send):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            # Shielded: this task may have been cancelled, and the reader must still be closed.
            with CancelScope(shield=True):
                await _close(self.body_iterator)

    async def _is_sent(self, receive: Receive, send: Send) -> bool:
        """Send chunks until there are no more, or the server stops; False when the client has gone before.

        Raises: what the body raises.
        """
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        ends: set[asyncio.Future[Any]] = {sending, leaving, self._stopping.heard()}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            return not leaving.done()
        finally:
            with CancelScope(shield=True):
                await _end(sending, leaving)

    async def _send(self, send: Send) -> None:
        async for chunk in self.body_iterator:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


async def _left(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _close(body: AsyncIterator[bytes]) -> None:
    close = getattr(body, "aclose", None)
    if close is not None:
        await close()


async def _single(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
