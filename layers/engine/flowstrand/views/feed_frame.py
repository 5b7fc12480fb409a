"""The frame of an event in an org's feed: as in the stream of its log, and besides whose log that is."""

from __future__ import annotations

import json

from flowstrand.engine.events import Event
from flowstrand.engine.ids import is_standalone_task
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.views.state_event import state_change
from flowstrand.views.stream_frame import StreamFormat, StreamFrame, stream_frame


def feed_frame(key: LogKey, event: Event, format: StreamFormat, *, sequence: int) -> StreamFrame:
    """The frame of an event that is no stream chunk, of which a feed has none.

    A CloudEvent is the same wherever it is read: its `source` is the log, its `id` and `sequence` the place there. A state change
    gets `workflowExecutionId` or `taskExecutionId`, and `sequence`, its place in that log.

    Args:
        sequence: the feed's, which is the id of the frame.

    Raises:
        ValueError: a payload is still a reference.
    """
    if format is StreamFormat.CLOUDEVENTS:
        return stream_frame(key, event, format, id=str(sequence))
    log = "taskExecutionId" if is_standalone_task(key.execution_id) else "workflowExecutionId"
    body: JsonObject = {**state_change(event), log: key.execution_id, "sequence": event.sequence}
    return StreamFrame(id=str(sequence), name="data", data=json.dumps(body, separators=(",", ":")))
