"""The SSE response: everything after a position, then whatever comes, until the log or the response ends.

Nothing is lost, repeated or reordered however often and wherever a client is cut off: a frame is complete or
ignored, its id is its sequence, and the next response begins right after it. The response ends by itself after
`Settings.stream_ms`; the last thing it sends is a comment that says why it ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from flowstrand.engine.events import EventType
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.log.port import LogKey
from flowstrand.service import history
from flowstrand.service.container import Services
from flowstrand.service.history import HistoryPage
from flowstrand.streams import sse
from flowstrand.streams.reader import LogReader
from flowstrand.streams.response import StreamResponse
from flowstrand.views.stream_frame import StreamFormat, stream_frame

RETRY_MS = 500
"""How long clients are asked to wait before they reconnect."""

_HEADERS = {
    "content-type": sse.CONTENT_TYPE,
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRequest:
    """What a client asks of a stream.

    Attributes:
        after: the last sequence the client has; 0 for everything.
        types: the events it wants; None for all.
    """

    after: int = 0
    format: StreamFormat = StreamFormat.STATE
    types: frozenset[EventType] | None = None


def open_stream(services: Services, org: OrgId, execution_id: ExecutionId, request: LiveRequest) -> StreamResponse:
    """The response to a client that stands at `request.after`: 200 and a stream, or 204 when nothing can follow.

    204 is what stops an `EventSource` from reconnecting.

    Raises:
        NotFound: no such execution in this org (`EXECUTION_NOT_FOUND`).
        InvalidInput: the position lies beyond the end (`POSITION_BEYOND_TAIL`).
    """
    end = history.end(services, org, execution_id, after=request.after)
    if end.closed and end.sequence == request.after:
        return StreamResponse(status=204)
    live = _LiveStream(services, LogKey(org, execution_id), request)
    return StreamResponse(status=200, headers=dict(_HEADERS), body=live.body())


class _LiveStream:
    """One response. `_told` is the position that the client has, or will have read from what was sent."""

    def __init__(self, services: Services, key: LogKey, request: LiveRequest) -> None:
        self._services = services
        self._key = key
        self._request = request
        self._reader = LogReader(services, key, after=request.after, types=request.types)
        self._told = request.after

    async def body(self) -> AsyncIterator[bytes]:
        """The chunks: one for each page that has events, and one for each heartbeat."""
        settings, clock = self._services.settings, self._services.clock
        sent_at_ms = clock.now_ms()
        ends_at_ms = sent_at_ms + settings.stream_ms
        yield sse.retry(RETRY_MS)  # at once, so that headers reach the client before the first event
        while clock.now_ms() < ends_at_ms:
            heartbeat_at_ms = sent_at_ms + settings.stream_heartbeat_ms
            page = await self._reader.next_page(until_ms=min(heartbeat_at_ms, ends_at_ms))
            if page is not None and page.events:
                yield self._chunk(page)
                sent_at_ms = clock.now_ms()
            elif clock.now_ms() >= heartbeat_at_ms:
                yield self._comment("heartbeat")
                sent_at_ms = clock.now_ms()
            if page is not None and page.is_final:
                yield self._comment("the execution has ended")
                return
        yield self._comment("this response has lasted long enough; reconnect to go on")

    def _chunk(self, page: HistoryPage) -> bytes:
        self._told = page.events[-1].sequence
        return sse.frames(stream_frame(self._key, event, self._request.format) for event in page.events)

    def _comment(self, text: str) -> bytes:
        """A comment that also tells the client, if a filter kept it behind, how far the log was read."""
        if self._reader.position == self._told:
            return sse.comment(text)
        self._told = self._reader.position
        return sse.comment(text, sequence=self._told)
