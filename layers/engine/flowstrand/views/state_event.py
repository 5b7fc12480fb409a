"""The state view (`format=state`): the SSE event names and bodies that existing front ends key on.

What tasks emit comes as `token`, `progress`, `data` and `error`; every state change comes as `data`, with
`{"type": "Event", "event": …, "data": snapshot, "timestampMs": …}`.
"""

from __future__ import annotations

import json

from flowstrand.engine.events import Event, StreamData, StreamError, StreamProgress, StreamToken
from flowstrand.engine.events.codec import public_data
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.views.snapshot import snapshot


def state_event(event: Event, *, beside: JsonObject | None = None) -> tuple[str, str]:
    """The SSE event name and the data, unframed.

    A token is its raw text and progress its number; everything else is JSON on one line.

    Args:
        beside: what else the body of a state change is to say.

    Raises:
        ValueError: a payload is still a reference.
    """
    match event.data:
        case StreamToken():
            return "token", _raw(_payload(event))
        case StreamProgress():
            return "progress", _raw(_payload(event))
        case StreamData():
            return "data", _dump(_payload(event))
        case StreamError():
            return "error", _dump(_payload(event))
        case _:
            return "data", _dump(state_change(event) | (beside or {}))


def state_change(event: Event) -> JsonObject:
    """The body of a state change."""
    return {
        "type": "Event",
        "event": event.type.value,
        "data": snapshot(event),
        "timestampMs": event.timestamp_ms,
    }


def _payload(event: Event) -> JsonValue:
    return public_data(event.data)["payload"]


def _raw(payload: JsonValue) -> str:
    return payload if isinstance(payload, str) else _dump(payload)


def _dump(value: JsonValue) -> str:
    # ASCII escapes keep line separators and lone surrogates out of the frame.
    return json.dumps(value, separators=(",", ":"))
