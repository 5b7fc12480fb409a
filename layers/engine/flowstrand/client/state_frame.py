"""An item of history as the frame that a stream with `format=state` would show: both are views of one event (law 1)."""

from __future__ import annotations

import re

import httpx2

from flowstrand.client.history import HistoryEvent
from flowstrand.engine.events import Event
from flowstrand.engine.events.codec import SCHEMA_VERSION, decode
from flowstrand.engine.schema import epoch_ms
from flowstrand.views.state_event import state_event

_LINE_END = re.compile("\r\n|\r")


def state_frame(item: HistoryEvent) -> httpx2.ServerSentEvent:
    """The frame, as a client of Server-Sent Events has it: every line end of a token is an LF.

    Raises:
        LogCorrupted: the item is not an event that this version knows.
    """
    data = decode({"v": SCHEMA_VERSION, "type": item.type, "data": item.data})
    event = Event(sequence=item.sequence, timestamp_ms=epoch_ms(item.timestamp), data=data)
    name, text = state_event(event)
    return httpx2.ServerSentEvent(event=name, data=_LINE_END.sub("\n", text), id=str(item.sequence))
