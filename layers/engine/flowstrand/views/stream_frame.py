"""The stream frame: an event as SSE sends it, in one of the two formats, before framing."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import assert_never

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import Event
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.views.cloud_event import cloud_event
from flowstrand.views.state_event import state_event


class StreamFormat(StrEnum):
    """The values of `?format=`."""

    STATE = "state"
    CLOUDEVENTS = "cloudevents"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFrame:
    """One event of an SSE stream.

    Attributes:
        id: the position of a client that has this event.
        name: the SSE event name; None is SSE's default, `message`.
        data: may hold line ends.
    """

    id: str
    name: str | None
    data: str


def stream_frame(
    key: LogKey, event: Event, format: StreamFormat, *, id: str | None = None, names_log: bool = False
) -> StreamFrame:
    """The frame of `event`: exactly one, whatever the format.

    Args:
        id: in place of the event's sequence, where the stream is not that of its log.
        names_log: whether state changes say whose they are, as CloudEvents always do.

    Raises:
        ValueError: a payload is still a reference.
    """
    position = str(event.sequence) if id is None else id
    match format:
        case StreamFormat.STATE:
            name, data = state_event(event, beside=_place(key, event) if names_log else None)
            return StreamFrame(id=position, name=name, data=data)
        case StreamFormat.CLOUDEVENTS:
            body = json.dumps(cloud_event(key, event), separators=(",", ":"))
            return StreamFrame(id=position, name=None, data=body)
        case _:
            assert_never(format)


def _place(key: LogKey, event: Event) -> JsonObject:
    """Which log an event is in, and where."""
    return {"workflowExecutionId": key.execution_id, "sequence": event.sequence}
