"""The protocol's Server-Sent Events: data, and after it what position that is; again and again, until the response ends.

What a stream holds that is neither JSON nor text is in base64. No line of a stream's content can be taken for a field: each is one
`data:` line, whichever of CR, LF and CRLF ended it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator

from flowstrand.errors import CallerError
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.channels.content import is_text
from flowstrand.service.container import Services
from flowstrand.streams.durable.source import Page, Source, joined
from flowstrand.streams.response import StreamResponse

_HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
_LINE_END = re.compile(b"\r\n|\r|\n")
_HEARTBEAT = b": heartbeat\n\n"


def events_response(services: Services, source: Source, *, after: int, cursor: int) -> StreamResponse:
    """200 and a stream to a reader that stands at `after`. Raises what `Source.page` does."""
    headers = dict(_HEADERS)
    if not is_text(source.content_type):
        headers["stream-sse-data-encoding"] = "base64"
    first = source.page(after)
    return StreamResponse(status=200, headers=headers, body=_Events(services, source, first, cursor).chunks())


class _Events:
    """One response."""

    def __init__(self, services: Services, source: Source, first: Page, cursor: int) -> None:
        self._services = services
        self._source = source
        self._first = first
        self._cursor = cursor

    async def chunks(self) -> AsyncIterator[bytes]:
        """One for each page, and one for each heartbeat."""
        settings, clock = self._services.settings, self._services.clock
        sent_at_ms = clock.now_ms()
        ends_at_ms = sent_at_ms + settings.stream_ms
        page: Page | None = self._first
        reader = self._source.reader(self._first.next_after)
        while True:
            if page is not None:
                yield self._framed(page)
                sent_at_ms = clock.now_ms()
                if page.is_final:
                    return
            if clock.now_ms() >= ends_at_ms:
                return
            heartbeat_at_ms = sent_at_ms + settings.stream_heartbeat_ms
            try:
                page = await reader.next_page(until_ms=min(heartbeat_at_ms, ends_at_ms))
            except CallerError:
                return  # it is there no more: whoever comes again is told so
            if page is None and heartbeat_at_ms <= clock.now_ms() < ends_at_ms:
                yield _HEARTBEAT
                sent_at_ms = clock.now_ms()

    def _framed(self, page: Page) -> bytes:
        data = self._data(page) if page.bodies else b""
        return data + _event(b"control", json.dumps(self._control(page), separators=(",", ":")).encode())

    def _data(self, page: Page) -> bytes:
        body = joined(self._source, page)
        return _event(b"data", body if is_text(self._source.content_type) else base64.b64encode(body))

    def _control(self, page: Page) -> JsonObject:
        control: JsonObject = {"streamNextOffset": self._source.offsets.of(page.next_after)}
        if page.is_final:
            return control | {"upToDate": True, "streamClosed": True}
        control["streamCursor"] = str(self._cursor)
        return control | {"upToDate": True} if page.up_to_date else control


def _event(name: bytes, data: bytes) -> bytes:
    lines = [b"event: " + name, *(_data_line(line) for line in _LINE_END.split(data))]
    return b"\n".join(lines) + b"\n\n"


def _data_line(line: bytes) -> bytes:
    """A space at its beginning is doubled: readers take one away."""
    return (b"data: " if line.startswith(b" ") else b"data:") + line
