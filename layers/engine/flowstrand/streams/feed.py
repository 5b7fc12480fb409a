"""The live stream of an org's feed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from flowstrand.engine.events import EventType
from flowstrand.engine.ids import OrgId
from flowstrand.errors import StoreUnavailable
from flowstrand.service import feed
from flowstrand.service.container import Services
from flowstrand.service.feed import FeedPage
from flowstrand.service.poll_delay import PollDelay
from flowstrand.streams import sse
from flowstrand.streams.live_response import LivePage, LiveSource, live_response
from flowstrand.streams.response import StreamResponse
from flowstrand.views.feed_frame import feed_frame
from flowstrand.views.stream_frame import StreamFormat

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRequest:
    """What a client asks of a feed.

    Attributes:
        after: the last sequence the client has, 0 for everything that is kept; None for what comes from now on.
        types: the events it wants; None for all.
    """

    after: int | None = 0
    format: StreamFormat = StreamFormat.STATE
    types: frozenset[EventType] | None = None


def open_feed(services: Services, org: OrgId, request: FeedRequest) -> StreamResponse:
    """200 and a stream to a client that stands at `request.after`. A feed has no end: only the response has.

    Who begins now is told at once where that is, so that nothing is lost however soon the response breaks off.

    Raises:
        InvalidInput: the position lies beyond the end (`POSITION_BEYOND_TAIL`).
        Gone: what follows the position is no longer kept (`FEED_EXPIRED`).
    """
    after = request.after
    if after is None:
        after = feed.end(services, org)
    else:
        feed.require_position(services, org, after)
    source = _FeedSource(services, org, request, after)
    return live_response(services, source, ending="the feed has ended", tells_position=request.after is None)


class _FeedSource(LiveSource):
    """The events of a feed; a position is a sequence of the feed's. Stores block, so it is read on threads."""

    def __init__(self, services: Services, org: OrgId, request: FeedRequest, after: int) -> None:
        self._services = services
        self._org = org
        self._request = request
        self._after = after
        self._delay = PollDelay()
        self._at_end = False

    @property
    def position(self) -> str:
        """See `LiveSource.position`."""
        return str(self._after)

    async def next_page(self, *, until_ms: int) -> LivePage | None:
        """See `LiveSource.next_page`. A store that cannot be read now is tried again.

        Raises:
            Gone, LogCorrupted: as `feed.read`.
        """
        while True:
            if self._at_end and not await self._wait(until_ms):
                return None
            page = await self._read()
            if page is not None and page.next_after > self._after:
                self._after = page.next_after
                self._at_end = page.up_to_date
                self._delay.reset()
                return self._shown(page)
            self._at_end = True

    def _shown(self, page: FeedPage) -> LivePage:
        frames = sse.frames(
            feed_frame(one.key, one.event, self._request.format, sequence=one.sequence) for one in page.events
        )
        return LivePage(frames=frames, last_id=str(page.events[-1].sequence) if page.events else None)

    async def _read(self) -> FeedPage | None:
        """One page from the store; None where the store failed."""
        try:
            return await asyncio.to_thread(
                feed.read, self._services, self._org, after=self._after, types=self._request.types
            )
        except StoreUnavailable as error:
            _logger.warning("reading a feed after %d failed, trying again: %s", self._after, error)
            return None

    async def _wait(self, until_ms: int) -> bool:
        """Wait for a change, but not for long; False when `until_ms` has come."""
        remaining_ms = until_ms - self._services.clock.now_ms()
        if remaining_ms <= 0:
            return False
        timeout_ms = min(self._delay.next_ms(), remaining_ms)
        key = feed.key_of(self._org)
        await self._services.changes.changed(key, after=self._after, timeout_ms=timeout_ms)
        return True
