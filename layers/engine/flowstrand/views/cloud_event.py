"""The CloudEvents view: CloudEvents 1.0 in its JSON format, the sequence as an extension attribute."""

from __future__ import annotations

from flowstrand.engine.events import Event, Family
from flowstrand.engine.events.codec import public_data
from flowstrand.engine.ids import is_standalone_task
from flowstrand.engine.schema import rfc3339
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.views.public_name import public_name

_SUBJECTS = {
    Family.WORKFLOW: "workflowExecutionId",
    Family.TASK: "taskExecutionId",
    Family.TIMER: "timerId",
    Family.PROMISE: "promiseId",
    Family.SIGNAL: "name",
    Family.CHILD: "childWorkflowId",
    Family.OPERATION: "operationId",
    Family.STATE: "key",
    Family.STREAM: "taskExecutionId",
}
"""By family, the field of an event's data that names what the event is about."""


def cloud_event(key: LogKey, event: Event) -> JsonObject:
    """One event as a CloudEvent. `source` and `id` together are unique: the log, and the place in it.

    Raises:
        ValueError: a payload is still a reference.
    """
    data = public_data(event.data)
    return {
        "specversion": "1.0",
        "id": str(event.sequence),
        "source": f"/api/orgs/{key.org}/{_collection(key)}/{key.execution_id}",
        "type": public_name(event.type),
        "subject": _subject(key, event, data),
        "time": rfc3339(event.timestamp_ms),
        "datacontenttype": "application/json",
        "sequence": event.sequence,
        "data": data,
    }


def _collection(key: LogKey) -> str:
    return "task-executions" if is_standalone_task(key.execution_id) else "workflow-executions"


def _subject(key: LogKey, event: Event, data: JsonObject) -> str:
    """What the event is about; a control event is about the execution itself."""
    field = _SUBJECTS.get(event.family)
    return str(data[field]) if field is not None and data[field] else key.execution_id
