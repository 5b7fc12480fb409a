"""Server-Sent Events, framed as the WHATWG HTML standard says (section "Server-sent events").

A frame is written whole, its id first and a blank line last, so that a client cut anywhere inside it discards it
and resumes at the frame before. CR, LF and CRLF all end a line in SSE: text that holds them is split over `data:`
lines, which a client joins with LF.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from flowstrand.jsonvalue import JsonObject
from flowstrand.views.stream_frame import StreamFrame

CONTENT_TYPE = "text/event-stream; charset=utf-8"

_LINE_END = re.compile("\r\n|\r|\n")
_UNFIT = re.compile("[\r\n\0]")
"""What would end the line of an id or a name, or have a client ignore the id."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def frame(event: StreamFrame) -> bytes:
    """One event: `id:`, `event:` unless it is the default, one `data:` for each line, a blank line."""
    lines = [f"id: {_fitting(event.id)}"]
    if event.name is not None:
        lines.append(f"event: {_fitting(event.name)}")
    lines.extend(f"data: {line}" for line in _LINE_END.split(event.data))
    return _encode(lines)


def frames(events: Iterable[StreamFrame]) -> bytes:
    """Several events, one after the other."""
    return b"".join(frame(event) for event in events)


def retry(delay_ms: int) -> bytes:
    """How long a client should wait before it reconnects."""
    return _encode([f"retry: {delay_ms}"])


def comment(text: str, *, id: str | None = None) -> bytes:
    """A comment, which clients ignore; with `id`, a bare `id:` that moves their position there without an event."""
    lines = [f": {line}" for line in _LINE_END.split(text)]
    if id is not None:
        lines.append(f"id: {_fitting(id)}")
    return _encode(lines)


def _fitting(value: str) -> str:
    """An id or a name as it stands: unlike data, these cannot be split.

    Raises:
        ValueError: it cannot be a line's.
    """
    if _UNFIT.search(value):
        raise ValueError(f"no id and no name of an event: {value!r}")
    return value


def refusal(body: JsonObject) -> bytes:
    """Why a stream that has begun cannot go on, as an error's body says it. Without an id: a client stays where it is."""
    return _encode(["event: refused", f"data: {json.dumps(body, separators=(',', ':'))}"])


def _encode(lines: list[str]) -> bytes:
    """UTF-8. A lone surrogate, which JSON can carry and UTF-8 cannot, becomes U+FFFD."""
    text = "\n".join(lines) + "\n\n"
    return _SURROGATE.sub("\ufffd", text).encode()
