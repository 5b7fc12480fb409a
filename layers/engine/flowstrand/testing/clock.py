"""`VirtualClock`: time that stands still until somebody moves it, and wakes those who sleep on it."""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable
from itertools import count


def _nothing() -> None:
    """What a sleeper's waking tells by default."""


class VirtualClock:
    """A `service.clock.Clock`. Never goes back."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._numbers = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None], Callable[[], None]]] = []

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return self._now_ms

    def sleep_ms(self, duration_ms: float) -> None:
        """Time passes at once: whoever blocks a thread here has nobody to wait for."""
        self._now_ms += max(1, round(duration_ms))

    async def sleep(self, seconds: float, woken: Callable[[], None] = _nothing) -> None:
        """Wait until the clock has been moved by this much; for ever where that is infinite.

        Args:
            woken: called by whoever moves the clock, before the sleeper itself goes on.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not math.isinf(seconds):
            due_ms = self._now_ms + max(0, round(seconds * 1_000))
            heapq.heappush(self._sleepers, (due_ms, next(self._numbers), future, woken))
        await future

    def next_ms(self) -> int | None:
        """When the next sleeper is due; None where nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # given up
        return self._sleepers[0][0] if self._sleepers else None

    def advance_to(self, moment_ms: int) -> bool:
        """Move to `moment_ms`, unless it has passed; returns whether that woke anybody."""
        self._now_ms = max(self._now_ms, moment_ms)
        anybody = False
        while (due_ms := self.next_ms()) is not None and due_ms <= self._now_ms:
            _, _, future, woken = heapq.heappop(self._sleepers)
            woken()
            future.set_result(None)
            anybody = True
        return anybody
