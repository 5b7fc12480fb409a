"""`Gate`: from which queues a worker may poll: whether it is paused, and whether it drains."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence


class Gate:
    """Open for every queue at first. Once it drains it lets everybody who waits go on, and never closes again."""

    def __init__(self, queues: Sequence[str]) -> None:
        self._open = {queue: asyncio.Event() for queue in queues}
        self.draining = asyncio.Event()
        for event in self._open.values():
            event.set()

    @property
    def paused(self) -> list[str]:
        """The queues that are closed."""
        return [queue for queue, event in self._open.items() if not event.is_set()]

    @property
    def is_paused(self) -> bool:
        """Whether nothing is polled at all."""
        return len(self.paused) == len(self._open)

    def pause(self, queues: Sequence[str]) -> list[str]:
        """Close for these; returns those that were open.

        Raises:
            KeyError: one is not polled here.
        """
        closed = [queue for queue in queues if self._open[queue].is_set()]
        for queue in () if self.draining.is_set() else closed:
            self._open[queue].clear()
        return closed

    def resume(self, queues: Sequence[str]) -> list[str]:
        """Open for these; returns those that were closed.

        Raises:
            KeyError: one is not polled here.
        """
        opened = [queue for queue in queues if not self._open[queue].is_set()]
        for queue in opened:
            self._open[queue].set()
        return opened

    def drain(self) -> None:
        """Let everybody go on, to find that it is time to stop."""
        self.draining.set()
        for event in self._open.values():
            event.set()

    async def opened(self, queue: str) -> None:
        """Wait until the queue may be polled, or the worker drains."""
        await self._open[queue].wait()
