"""Entity snapshots: what `format=state` shows of the thing an event is about, one shape per family."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from flowstrand.engine.events import Event, Family
from flowstrand.engine.events.codec import public_data
from flowstrand.engine.events.event import TimerEvent
from flowstrand.jsonvalue import JsonObject

_KEYS: Mapping[Family, Mapping[str, str]] = MappingProxyType(
    {
        Family.WORKFLOW: {
            "workflowExecutionId": "id",
            "kind": "kind",
            "status": "status",
            "workerId": "workerId",
            "error": "error",
            "parentWorkflowExecutionId": "parentWorkflowExecutionId",
            "suspendType": "suspendType",
        },
        Family.TASK: {
            "taskExecutionId": "id",
            "kind": "kind",
            "status": "status",
            "executionCount": "executionCount",
            "maxRetries": "maxRetries",
            "workerId": "workerId",
            "error": "error",
        },
        Family.PROMISE: {"promiseId": "promiseId", "value": "result", "error": "error"},
        Family.CHILD: {
            "childWorkflowId": "childWorkflowId",
            "kind": "kind",
            "status": "status",
            "error": "error",
        },
        Family.OPERATION: {"operationId": "operationId", "result": "result"},
        Family.STATE: {"key": "key", "value": "value"},
    }
)
"""By family, which fields of an event's data its snapshot shows, and under which names."""


def snapshot(event: Event) -> JsonObject:
    """The snapshot that clients know for the event's family.

    Signals and control events are about no entity of their own: theirs is the event's whole data.

    Raises:
        ValueError: a payload is still a reference.
    """
    if isinstance(event.data, TimerEvent):
        return {"timerId": event.data.timer_id, "fireAtMs": int(event.data.fire_at_ms)}
    data = public_data(event.data)
    shown = _KEYS.get(event.family)
    if shown is None:
        return data
    return {name: data[key] for key, name in shown.items() if key in data}
