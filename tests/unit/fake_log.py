"""A server of one log, in memory: its stream in both formats and its history, made by the project's own views; and ways to fail."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

import httpx2

from flowstrand.client.history import TERMINAL_TYPES
from flowstrand.engine.events import Event, EventType
from flowstrand.streams import sse
from flowstrand.views.history_item import history_item
from flowstrand.views.stream_frame import StreamFormat, stream_frame
from tests.unit.every_event import KEY, event_of

_MEDIA_TYPE = {"content-type": "text/event-stream"}
_RETRY = sse.retry(0)

Fault = httpx2.Response | Exception


def eventful_log() -> list[Event]:
    """One event of every type but the other two ends of an execution, in an order in which only the last one ends the log."""
    last = EventType.WORKFLOW_COMPLETED
    others = [type for type in EventType if type not in TERMINAL_TYPES]
    return [event_of(type, sequence) for sequence, type in enumerate([*others, last], 1)]


class Body(httpx2.AsyncByteStream, httpx2.SyncByteStream):
    """Chunks, and behind them an error, if there is one."""

    def __init__(self, chunks: Sequence[bytes], error: Exception | None = None) -> None:
        self._chunks = chunks
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def stream_of(*chunks: bytes, error: Exception | None = None) -> httpx2.Response:
    """A stream that sends this and ends, or breaks."""
    return httpx2.Response(200, headers=_MEDIA_TYPE, stream=Body(chunks, error))


SILENCE = httpx2.ReadTimeout("nothing came")
CUT = httpx2.ReadError("the connection broke")


@dataclass
class FakeLog:
    """What a client talks to.

    Attributes:
        streams: what the next requests for the stream meet in place of it.
        polls: the same, of the history.
        there: how many of the events there are, from the start.
    """

    events: Sequence[Event] = field(default_factory=eventful_log)
    streams: list[Fault] = field(default_factory=list)
    polls: list[Fault] = field(default_factory=list)
    there: int | None = None
    requests: list[httpx2.Request] = field(default_factory=list)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._handle)

    @property
    def asked(self) -> list[str]:
        """The last word of the path of every request."""
        return [request.url.path.rpartition("/")[2] for request in self.requests]

    def silence_s(self, request: int) -> float:
        """How long a request lets the server be silent."""
        timeout: float = self.requests[request].extensions["timeout"]["read"]
        return timeout

    def frames(self, after: int = 0, to: int | None = None, format: str = "state") -> bytes:
        """What the stream sends of the events beyond `after`, up to `to`."""
        shown = self._there()[after:to]
        return _RETRY + sse.frames(stream_frame(KEY, event, StreamFormat(format)) for event in shown)

    def _there(self) -> Sequence[Event]:
        return self.events[: self.there]

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        is_stream = request.url.path.endswith("/stream")
        faults = self.streams if is_stream else self.polls
        if faults:
            fault = faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        return self._stream(request) if is_stream else self._page(request)

    def _stream(self, request: httpx2.Request) -> httpx2.Response:
        after = int(request.headers.get("last-event-id", "0"))
        if after == len(self.events):
            return httpx2.Response(204)
        return httpx2.Response(
            200, headers=_MEDIA_TYPE, content=self.frames(after, format=request.url.params["format"])
        )

    def _page(self, request: httpx2.Request) -> httpx2.Response:
        after, there = int(request.url.params["after"]), self._there()
        items = [history_item(event) for event in there[after:]]
        closed = len(there) == len(self.events)
        page = {"events": items, "nextAfter": len(there), "upToDate": True, "closed": closed}
        return httpx2.Response(200, json=page)
