"""The SSE response: everything after a position, then whatever comes, until the source or the response ends.

Nothing is lost, repeated or reordered however often and wherever a client is cut off: a frame is complete or
ignored, its id is its position, and the next response begins right after it. The response ends by itself after
`Settings.stream_ms`; the last thing it sends is a comment that says why it ends, or where it cannot go on, an event `refused`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from flowstrand.dataclass import dataclass
from flowstrand.errors import CallerError
from flowstrand.service.container import Services
from flowstrand.streams import sse
from flowstrand.streams.response import StreamResponse

RETRY_MS = 500
"""How long clients are asked to wait before they reconnect."""

_HEADERS = {
    "content-type": sse.CONTENT_TYPE,
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePage:
    """A step forward.

    Attributes:
        frames: what the client gets of it; empty where a filter let nothing through.
        last_id: the id of the last frame; None where there is none.
        is_final: nothing follows, now or ever.
    """

    frames: bytes
    last_id: str | None
    is_final: bool = False


class LiveSource(Protocol):
    """What a response goes through."""

    @property
    def position(self) -> str:
        """The id with which a client goes on that has had everything up to now, or has been spared it by a filter."""
        ...

    async def next_page(self, *, until_ms: int) -> LivePage | None:
        """The next page that goes forward, or is final; None when the clock reads `until_ms` first.

        Raises:
            CallerError: nothing more can be told to whoever stands here; a new request would get the same.
        """
        ...


def live_response(
    services: Services, source: LiveSource, *, ending: str, tells_position: bool = False
) -> StreamResponse:
    """200 and a stream to a client that stands where `source` begins; `ending` says what it means that nothing follows.

    Args:
        tells_position: whether the client does not know where that is, and is to be told before anything else.
    """
    body = _LiveBody(services, source, ending, tells_position=tells_position).chunks()
    return StreamResponse(status=200, headers=dict(_HEADERS), body=body)


class _LiveBody:
    """One response. `_told` is the position that the client has, or will have read from what was sent."""

    def __init__(self, services: Services, source: LiveSource, ending: str, *, tells_position: bool) -> None:
        self._services = services
        self._source = source
        self._ending = ending
        self._told = None if tells_position else source.position

    async def chunks(self) -> AsyncIterator[bytes]:
        """One for each page that has frames, and one for each heartbeat."""
        settings, clock = self._services.settings, self._services.clock
        sent_at_ms = clock.now_ms()
        ends_at_ms = sent_at_ms + settings.stream_ms
        yield sse.retry(RETRY_MS)  # at once, so that headers reach the client before the first event
        if self._told is None:
            yield self._comment("from here")
        while clock.now_ms() < ends_at_ms:
            heartbeat_at_ms = sent_at_ms + settings.stream_heartbeat_ms
            try:
                page = await self._source.next_page(until_ms=min(heartbeat_at_ms, ends_at_ms))
            except CallerError as error:
                yield sse.refusal(error.body())
                return
            if page is not None and page.last_id is not None:
                self._told = page.last_id
                yield page.frames
                sent_at_ms = clock.now_ms()
            elif clock.now_ms() >= heartbeat_at_ms:
                yield self._comment("heartbeat")
                sent_at_ms = clock.now_ms()
            if page is not None and page.is_final:
                yield self._comment(self._ending)
                return
        yield self._comment("this response has lasted long enough; reconnect to go on")

    def _comment(self, text: str) -> bytes:
        """A comment that also tells the client, if a filter kept it behind, how far has been read."""
        position = self._source.position
        if position == self._told:
            return sse.comment(text)
        self._told = position
        return sse.comment(text, id=position)
