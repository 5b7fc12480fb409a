"""`LogReader`: one reader under catch-up and live, so that no event can fall between the two.

It goes through a log page by page, each beginning where the one before ended; when it has reached the end it waits
and goes on. Stores block, so they are read on threads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from flowstrand.engine.events import EventType
from flowstrand.errors import StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service import history
from flowstrand.service.container import Services
from flowstrand.service.history import HistoryPage
from flowstrand.service.poll_delay import PollDelay

_logger = logging.getLogger(__name__)


class LogReader:
    """Reads one log forward from a position.

    Attributes:
        position: the last sequence that has been read; everything up to it was returned or filtered out.
    """

    def __init__(
        self, services: Services, key: LogKey, *, after: int, types: Collection[EventType] | None = None
    ) -> None:
        self.position = after
        self._services = services
        self._key = key
        self._types = types
        self._delay = PollDelay()
        self._at_end = False

    async def next_page(self, *, until_ms: int) -> HistoryPage | None:
        """The next page that goes forward, or is final; None when the clock reads `until_ms` first.

        A page may be without events where the filter dropped them. A store that cannot be read now is tried again.

        Raises:
            LogCorrupted: the log is not contiguous.
        """
        while True:
            if self._at_end and not await self._wait(until_ms):
                return None
            page = await self._read()
            if page is not None and (page.next_after > self.position or page.is_final):
                self.position = page.next_after
                self._at_end = page.up_to_date
                self._delay.reset()
                return page
            self._at_end = True

    async def _read(self) -> HistoryPage | None:
        """One page from the store; None where the store failed."""
        org, execution_id = self._key.org, self._key.execution_id
        try:
            return await asyncio.to_thread(
                history.page, self._services, org, execution_id, after=self.position, types=self._types
            )
        except StoreUnavailable as error:
            _logger.warning("reading %s after %d failed, trying again: %s", self._key, self.position, error)
            return None

    async def _wait(self, until_ms: int) -> bool:
        """Wait for a change, but not for long; False when `until_ms` has come."""
        remaining_ms = until_ms - self._services.clock.now_ms()
        if remaining_ms <= 0:
            return False
        timeout_ms = min(self._delay.next_ms(), remaining_ms)
        await self._services.changes.changed(self._key, after=self.position, timeout_ms=timeout_ms)
        return True
