"""`StreamSender`: sends a streaming handler's response, at the client's pace, and closes it when the client is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator

from anyio import CancelScope
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from flowstrand.streams.response import StreamResponse


class StreamSender(StreamingResponse):
    """The next chunk is asked for only when the one before has been taken by the connection."""

    def __init__(self, answer: StreamResponse) -> None:
        body = _single(b"") if answer.body is None else answer.body
        super().__init__(body, status_code=answer.status, headers=answer.headers)
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it all, or as much as the client stays for."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # Shielded: after a disconnect or at shutdown this task is cancelled, and the reader must still be closed.
            with CancelScope(shield=True):
                close = getattr(self._body, "aclose", None)
                if close is not None:
                    await close()


async def _single(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
