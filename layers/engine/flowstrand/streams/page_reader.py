"""`PageReader`: goes through a source page by page, and waits at its end. Stores block, so they are read on threads.

Its two steps, a read that may fail and a wait for more, are those of every reader.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from flowstrand.errors import StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.service.container import Services
from flowstrand.service.poll_delay import PollDelay

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class Step(Protocol):
    """What a page says of where it leads."""

    @property
    def next_after(self) -> int:
        """Where the next page starts."""
        ...

    @property
    def up_to_date(self) -> bool:
        """Whether there was nothing beyond it when it was read."""
        ...

    @property
    def is_final(self) -> bool:
        """Whether nothing follows, now or ever (law 4)."""
        ...


PageT = TypeVar("PageT", bound=Step)


class PageReader(Generic[PageT]):
    """Reads forward from a position.

    Attributes:
        position: the last sequence that has been read.
    """

    def __init__(self, services: Services, key: LogKey, read: Callable[[int], PageT], *, after: int) -> None:
        """`key` is what a change of the source is announced for; `read` gives what follows a position, and blocks."""
        self.position = after
        self._services = services
        self._key = key
        self._read = read
        self._delay = PollDelay()
        self._at_end = False

    async def next_page(self, *, until_ms: int) -> PageT | None:
        """The next page that goes forward, or is final; None when the clock reads `until_ms` first.

        A store that cannot be read now is tried again. Raises what `read` does.
        """
        while True:
            if self._at_end and not await wait_for_more(
                self._services, self._key, after=self.position, delay=self._delay, until_ms=until_ms
            ):
                return None
            after = self.position
            page = await read_if_possible(partial(self._read, after), f"{self._key} after {after}")
            if page is not None and (page.next_after > after or page.is_final):
                self.position = page.next_after
                self._at_end = page.up_to_date
                self._delay.reset()
                return page
            self._at_end = True


async def read_if_possible(read: Callable[[], T], what: str) -> T | None:
    """What `read` gives, on a thread; None where the store failed."""
    try:
        return await asyncio.to_thread(read)
    except StoreUnavailable as error:
        _logger.warning("reading %s failed, trying again: %s", what, error)
        return None


async def wait_for_more(services: Services, key: LogKey, *, after: int, delay: PollDelay, until_ms: int) -> bool:
    """Wait for a change, but not for long; False when `until_ms` has come."""
    remaining_ms = until_ms - services.clock.now_ms()
    if remaining_ms <= 0:
        return False
    await services.changes.changed(key, after=after, timeout_ms=min(delay.next_ms(), remaining_ms))
    return True
