"""`LogReader`: one reader under catch-up and live, so that no event can fall between the two.

It goes through a log page by page, each beginning where the one before ended; when it has reached the end it waits
and goes on. However many readers of a process stand at one place, what follows is waited for and read once, and kept for those who
come there soon. Stores block, so they are read on threads.

What is there already is read consistently. What comes is then asked for as cheaply as the store allows: a read that is
eventually consistent may see an event later, but never without those before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from flowstrand.engine.events import EventType
from flowstrand.errors import StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service import history
from flowstrand.service.container import Services
from flowstrand.service.history import HistoryPage
from flowstrand.service.poll_delay import PollDelay
from flowstrand.service.shared_pages import Place, SharedPage

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
        self._types = None if types is None else frozenset(types)
        self._delay = PollDelay()
        self._at_end = False

    async def next_page(self, *, until_ms: int) -> HistoryPage | None:
        """The next page that goes forward, or is final; None when the clock reads `until_ms` first.

        A page may be without events where the filter dropped them. A store that cannot be read now is tried again.

        Raises:
            LogCorrupted: the log is not contiguous.
        """
        shared = await self.next_shared(until_ms=until_ms)
        return None if shared is None else shared.page

    async def next_shared(self, *, until_ms: int) -> SharedPage | None:
        """As `next_page`, with what others have made of the page."""
        place = Place(self._key, self.position, self._types)
        shared = self._services.pages.at(place)
        if shared is None:
            shared = await self._services.lookouts.wait(
                place, lambda: self._search(place), self._services.clock, until_ms=until_ms
            )
        if shared is not None:
            self.position = shared.page.next_after
            self._at_end = shared.page.up_to_date
            self._delay.reset()
        return shared

    def _search(self, place: Place) -> Callable[[Callable[[], int]], Awaitable[SharedPage | None]]:
        return _Search(self._services, place, self._delay, at_end=self._at_end).until


class _Search:
    """Looks for what follows a place."""

    def __init__(self, services: Services, place: Place, delay: PollDelay, *, at_end: bool) -> None:
        """`at_end`: nothing followed the place when it was read last, but something might."""
        self._services = services
        self._place = place
        self._delay = delay
        self._at_end = at_end
        self._waits = at_end

    async def until(self, until_ms: Callable[[], int]) -> SharedPage | None:
        """The next page that goes forward, or is final; None when the clock reads `until_ms()` first."""
        while True:
            if self._waits and not await self._wait(until_ms()):
                return None
            page = await self._read()
            if page is not None and (page.next_after > self._place.after or page.is_final):
                return self._services.pages.share(self._place, page)
            self._at_end = self._at_end or page is not None
            self._waits = True

    async def _read(self) -> HistoryPage | None:
        """One page from the store; None where the store failed."""
        key, after, types = self._place.key, self._place.after, self._place.types
        read = history.news if self._at_end else history.page
        try:
            return await asyncio.to_thread(
                read, self._services, key.org, key.execution_id, after=after, types=types
            )
        except StoreUnavailable as error:
            _logger.warning("reading %s after %d failed, trying again: %s", key, after, error)
            return None

    async def _wait(self, until_ms: int) -> bool:
        """Wait for a change, but not for long; False when `until_ms` has come."""
        remaining_ms = until_ms - self._services.clock.now_ms()
        if remaining_ms <= 0:
            return False
        timeout_ms = min(self._delay.next_ms(), remaining_ms)
        await self._services.changes.changed(self._place.key, after=self._place.after, timeout_ms=timeout_ms)
        return True
