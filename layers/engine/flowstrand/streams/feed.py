"""The live stream of an org's feed."""

from __future__ import annotations

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import EventType
from flowstrand.engine.ids import OrgId
from flowstrand.service import feed
from flowstrand.service.container import Services
from flowstrand.streams import sse
from flowstrand.streams.live_response import LivePage, LiveSource, live_response
from flowstrand.streams.page_reader import PageReader
from flowstrand.streams.response import StreamResponse
from flowstrand.views.feed_frame import feed_frame
from flowstrand.views.stream_frame import StreamFormat


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
    """The events of a feed; a position is a sequence of the feed's."""

    def __init__(self, services: Services, org: OrgId, request: FeedRequest, after: int) -> None:
        self._format = request.format
        self._reader = PageReader(
            services,
            feed.key_of(org),
            lambda position: feed.read(services, org, after=position, types=request.types),
            after=after,
        )

    @property
    def position(self) -> str:
        """See `LiveSource.position`."""
        return str(self._reader.position)

    async def next_page(self, *, until_ms: int) -> LivePage | None:
        """See `LiveSource.next_page`. Raises what `feed.read` does, but for `StoreUnavailable`."""
        page = await self._reader.next_page(until_ms=until_ms)
        if page is None:
            return None
        frames = sse.frames(
            feed_frame(one.key, one.event, self._format, sequence=one.sequence) for one in page.events
        )
        return LivePage(frames=frames, last_id=str(page.events[-1].sequence) if page.events else None)
