"""The view of an org's feed that is not a stream of frames: a history item, and whose log it is in."""

from __future__ import annotations

from flowstrand.engine.events import Event
from flowstrand.engine.ids import is_standalone_task
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.views.history_item import history_item


def feed_item(key: LogKey, event: Event, *, sequence: int) -> JsonObject:
    """`{sequence, workflowExecutionId or taskExecutionId, event}`: the feed's sequence, and the event as its log's history has it.

    Raises:
        ValueError: a payload is still a reference.
    """
    log = "taskExecutionId" if is_standalone_task(key.execution_id) else "workflowExecutionId"
    return {"sequence": sequence, log: key.execution_id, "event": history_item(event)}
