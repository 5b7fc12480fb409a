"""`Waiter`: somebody who waits on an event loop for something that happens on a thread."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress


class Waiter:
    """One wait. Made on the loop that waits."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def tell(self) -> None:
        """It has happened; from any thread."""
        with suppress(RuntimeError):  # its loop has closed: nobody is waiting any more
            self._loop.call_soon_threadsafe(self._event.set)

    async def told(self) -> None:
        """Return when it has happened."""
        await self._event.wait()


class StopSignal:
    """The server is stopping: said once, on any thread, and heard on every loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_set = False
        self._waiters: set[Waiter] = set()

    def set(self) -> None:
        """Tell everyone, now and from now on."""
        with self._lock:
            self._is_set = True
            waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            waiter.tell()

    async def wait(self) -> None:
        """Return when the server is stopping."""
        waiter = Waiter()
        with self._lock:
            if self._is_set:
                return
            self._waiters.add(waiter)
        try:
            await waiter.told()
        finally:
            with self._lock:
                self._waiters.discard(waiter)
