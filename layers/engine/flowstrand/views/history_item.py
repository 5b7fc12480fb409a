"""The history view: what the `events` route and recorded histories hold."""

from __future__ import annotations

from flowstrand.engine.events import Event
from flowstrand.engine.events.codec import public_data
from flowstrand.engine.schema import rfc3339
from flowstrand.jsonvalue import JsonObject


def history_item(event: Event) -> JsonObject:
    """`{sequence, type, timestamp, data}`; the timestamp is RFC 3339 UTC with milliseconds.

    Raises:
        ValueError: a payload is still a reference.
    """
    return {
        "sequence": event.sequence,
        "type": event.type.value,
        "timestamp": rfc3339(event.timestamp_ms),
        "data": public_data(event.data),
    }
