"""`PageReader`: goes through a source page by page, and waits at its end. Stores block, so they are read on threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from flowstrand.errors import StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service.container import Services
from flowstrand.service.poll_delay import PollDelay
from flowstrand.streams.durable.source import Page

_logger = logging.getLogger(__name__)


class PageReader:
    """Reads forward from a position; `key` is what a change of the source is announced for."""

    def __init__(self, services: Services, key: LogKey, read: Callable[[int], Page], *, after: int) -> None:
        self._services = services
        self._key = key
        self._read = read
        self._after = after
        self._delay = PollDelay()
        self._at_end = False

    async def next_page(self, *, until_ms: int) -> Page | None:
        """See `Reader.next_page`. A store that cannot be read now is tried again."""
        while True:
            if self._at_end and not await self._wait(until_ms):
                return None
            page = await self._try()
            if page is not None and (page.next_after > self._after or page.is_final):
                self._after = page.next_after
                self._at_end = page.up_to_date
                self._delay.reset()
                return page
            self._at_end = True

    async def _try(self) -> Page | None:
        try:
            return await asyncio.to_thread(self._read, self._after)
        except StoreUnavailable as error:
            _logger.warning("reading %s after %d failed, trying again: %s", self._key, self._after, error)
            return None

    async def _wait(self, until_ms: int) -> bool:
        remaining_ms = until_ms - self._services.clock.now_ms()
        if remaining_ms <= 0:
            return False
        timeout_ms = min(self._delay.next_ms(), remaining_ms)
        await self._services.changes.changed(self._key, after=self._after, timeout_ms=timeout_ms)
        return True
