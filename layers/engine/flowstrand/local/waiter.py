"""`Waiter`: somebody who waits on an event loop for something that happens on a thread."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from weakref import WeakSet


class Waiter:
    """One wait. Made on the loop that waits.

    It takes that loop no more turns than it must: at each, a loop lets other threads compute before it goes on.
    """

    def __init__(self) -> None:
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def tell(self) -> None:
        """It has happened; from any thread."""
        with suppress(RuntimeError):  # its loop has closed: nobody is waiting any more
            self._future.get_loop().call_soon_threadsafe(_settle, self._future)

    async def told(self, timeout_s: float) -> None:
        """Return when it has happened, or when the time is over."""
        timer = self._future.get_loop().call_later(timeout_s, _settle, self._future)
        try:
            await self._future
        finally:
            timer.cancel()


class StopSignal:
    """The server is stopping: said once, on any thread, and heard on every loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._listening: WeakSet[asyncio.Future[None]] = WeakSet()

    def set(self) -> None:
        """Tell everyone, now and from now on."""
        with self._lock:
            self._is_set = True
            listening = list(self._listening)
        for future in listening:
            with suppress(RuntimeError):  # its loop has closed: nobody is waiting any more
                future.get_loop().call_soon_threadsafe(_settle, future)

    def heard(self) -> asyncio.Future[None]:
        """Done when the server is stopping."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._listening.add(future)
            if self._is_set:
                _settle(future)
        return future


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
