"""`Changes` where a log can only be looked at again: nothing notifies a Lambda function that is already running."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from flowstrand.log.port import LogKey
from flowstrand.service.poll_delay import LONGEST_MS


class PolledChanges:
    """Lets a reader look again after its own delay, 100 ms after activity and growing, at most 500 ms."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] | None = None) -> None:
        """`sleep` takes seconds; asyncio's by default."""
        self._sleep = _sleep if sleep is None else sleep

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:  # noqa: ARG002 - the port's
        """Return after `timeout_ms`, but no later than after 500 ms."""
        await self._sleep(max(0.0, min(timeout_ms, LONGEST_MS)) / 1_000)

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:  # noqa: ARG002
        """Return after `timeout_ms`, knowing nothing of any log."""
        await self._sleep(max(0.0, timeout_ms) / 1_000)
        return frozenset()


async def _sleep(seconds: float) -> None:
    import asyncio  # here, because every function knows of changes and few wait for any

    await asyncio.sleep(seconds)
