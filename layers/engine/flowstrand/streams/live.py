"""The live stream of one log."""

from __future__ import annotations

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import EventType
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.log.port import LogKey
from flowstrand.service import history
from flowstrand.service.container import Services
from flowstrand.service.history import HistoryPage
from flowstrand.streams import sse
from flowstrand.streams.live_response import LivePage, LiveSource, live_response
from flowstrand.streams.reader import LogReader
from flowstrand.streams.response import StreamResponse
from flowstrand.views.stream_frame import StreamFormat, stream_frame


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
    source = _LogSource(services, LogKey(org, execution_id), request)
    return live_response(services, source, ending="the execution has ended")


class _LogSource(LiveSource):
    """The events of one log; a position is a sequence."""

    def __init__(self, services: Services, key: LogKey, request: LiveRequest) -> None:
        self._key = key
        self._format = request.format
        self._reader = LogReader(services, key, after=request.after, types=request.types)

    @property
    def position(self) -> str:
        """See `LiveSource.position`."""
        return str(self._reader.position)

    async def next_page(self, *, until_ms: int) -> LivePage | None:
        """See `LiveSource.next_page`."""
        shared = await self._reader.next_shared(until_ms=until_ms)
        if shared is None:
            return None
        page, frames = shared.page, shared.encoded(f"sse/{self._format.value}", self._framed)
        last_id = str(page.events[-1].sequence) if page.events else None
        return LivePage(frames=frames, last_id=last_id, is_final=page.is_final)

    def _framed(self, page: HistoryPage) -> bytes:
        return sse.frames(stream_frame(self._key, event, self._format) for event in page.events)
