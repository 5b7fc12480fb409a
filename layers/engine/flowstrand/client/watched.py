"""`Watched`: the body of a response that is read no further once it need not be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import httpx2


class Watched(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """Another body, cut off cleanly at the first chunk that finds `is_over`. Heartbeats are chunks, too."""

    def __init__(self, body: httpx2.SyncByteStream | httpx2.AsyncByteStream, is_over: Callable[[], bool]) -> None:
        self._body = body
        self._is_over = is_over

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._body, httpx2.SyncByteStream)
        for chunk in self._body:
            yield chunk
            if self._is_over():
                return

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._body, httpx2.AsyncByteStream)
        async for chunk in self._body:
            yield chunk
            if self._is_over():
                return

    def close(self) -> None:
        assert isinstance(self._body, httpx2.SyncByteStream)
        self._body.close()

    async def aclose(self) -> None:
        assert isinstance(self._body, httpx2.AsyncByteStream)
        await self._body.aclose()
