"""One event of every type, for tests that must hold for all of them."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.events import ErrorInfo, Event, EventData, EventType, RetryPolicy, SuspendType, WaitGroup
from flowstrand.engine.events import TaskStatus as Task
from flowstrand.engine.events import WorkflowStatus as Workflow
from flowstrand.engine.events.event import data_class_of
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.schema import EpochMs
from flowstrand.log.port import LogKey

KEY = LogKey(OrgId("acme"), ExecutionId("01X"))
AT_MS = 1_732_352_400_123
ERROR = ErrorInfo(type="ValueError", message="no", stack="line 1")

_WORKFLOW = {"workflow_execution_id": "01X", "kind": "order"}
_TASK = {"task_execution_id": "01X.t1", "position": 1, "kind": "charge", "max_retries": 3}
_TIMER = {"timer_id": "01X.m2", "position": 2, "fire_at_ms": EpochMs(AT_MS + 5_000)}
_PROMISE = {"promise_id": "01X.p3", "position": 3, "name": "approval"}
_CHILD = {"child_workflow_id": "01X.c4", "position": 4, "name": "pack", "kind": "pack"}
_OPERATION = {"operation_id": "01X.o1", "index": 1, "name": "price"}
_STREAM = {"task_execution_id": "01X.t1", "attempt": 2}
_RUN = {"attempt": 2, "execution_count": 2, "worker_id": "w1"}

_FIELDS: dict[EventType, dict[str, Any]] = {
    EventType.WORKFLOW_STARTED: _WORKFLOW
    | {"status": Workflow.PENDING, "input": {"n": 1}, "queue": "q", "parent_workflow_execution_id": "01P"},
    EventType.WORKFLOW_SUSPENDED: _WORKFLOW
    | {
        "status": Workflow.WAITING,
        "suspend_type": SuspendType.TASK,
        "waits": (WaitGroup(operations="1-3"),),
        "horizon": 1,
    },
    EventType.WORKFLOW_RESUMED: _WORKFLOW | {"status": Workflow.RUNNING, "worker_id": "r1"},
    EventType.WORKFLOW_COMPLETED: _WORKFLOW
    | {
        "status": Workflow.COMPLETED,
        "output": None,
        "horizon": 5,
        "continued_as": "01X.n1",
        "continued_input": {"page": 2},
        "carried_signals": (4,),
    },
    EventType.WORKFLOW_FAILED: _WORKFLOW
    | {"status": Workflow.FAILED, "error": ERROR, "failure_type": "ERROR", "horizon": 5, "unseen": (4,)},
    EventType.WORKFLOW_CANCELLED: _WORKFLOW | {"status": Workflow.CANCELLED, "reason": "late", "horizon": 5},
    EventType.TASK_CREATED: _TASK
    | {"status": Task.PENDING, "execution_count": 0, "input": [1], "queue": "q", "retry": RetryPolicy()},
    EventType.TASK_STARTED: _TASK | _RUN | {"status": Task.RUNNING, "lease_ends_at_ms": EpochMs(AT_MS + 60_000)},
    EventType.TASK_COMPLETED: _TASK | _RUN | {"status": Task.COMPLETED, "output": "done"},
    EventType.TASK_FAILED: _TASK
    | _RUN
    | {"status": Task.PENDING, "error": ERROR, "failure_type": "ERROR", "retry_at_ms": EpochMs(AT_MS + 1_000)},
    EventType.TASK_CANCELLED: _TASK | {"status": Task.CANCELLED, "execution_count": 0},
    EventType.TIMER_STARTED: _TIMER,
    EventType.TIMER_FIRED: _TIMER,
    EventType.TIMER_CANCELLED: _TIMER | {"command": 5},
    EventType.PROMISE_CREATED: _PROMISE | {"timeout_at_ms": EpochMs(AT_MS + 9_000)},
    EventType.PROMISE_RESOLVED: _PROMISE | {"value": True},
    EventType.PROMISE_REJECTED: _PROMISE | {"error": ERROR},
    EventType.PROMISE_TIMED_OUT: _PROMISE,
    EventType.SIGNAL_RECEIVED: {"name": "go", "value": {"a": 1}},
    EventType.CHILD_WORKFLOW_INITIATED: _CHILD | {"status": Workflow.PENDING, "input": {}, "queue": "q"},
    EventType.CHILD_WORKFLOW_STARTED: _CHILD | {"status": Workflow.PENDING},
    EventType.CHILD_WORKFLOW_COMPLETED: _CHILD | {"status": Workflow.COMPLETED, "output": 7},
    EventType.CHILD_WORKFLOW_FAILED: _CHILD | {"status": Workflow.FAILED, "error": ERROR, "failure_type": "ERROR"},
    EventType.CHILD_WORKFLOW_CANCELLATION_REQUESTED: _CHILD | {"status": Workflow.CANCELLING},
    EventType.CHILD_WORKFLOW_CANCELLATION_FAILED: _CHILD | {"status": Workflow.COMPLETED, "error": ERROR},
    EventType.OPERATION_COMPLETED: _OPERATION | {"result": 4.5},
    EventType.OPERATION_FAILED: _OPERATION | {"error": ERROR},
    EventType.STATE_SET: {"position": 6, "key": "stage", "value": "packing"},
    EventType.STATE_CLEARED: {"position": 7, "key": "stage"},
    EventType.CANCELLATION_REQUESTED: {"reason": "late", "request_id": "r-1"},
    EventType.RETRY_REQUESTED: {"retried_from": "01W", "retried_from_sequence": 9},
    EventType.STREAM_TOKEN: _STREAM | {"payload": "two\nlines"},
    EventType.STREAM_PROGRESS: _STREAM | {"payload": 0.5},
    EventType.STREAM_DATA: _STREAM | {"payload": {"rows": [1, 2]}},
    EventType.STREAM_ERROR: _STREAM | {"payload": "look here"},
}


def data_of(event_type: EventType, **changes: Any) -> EventData:
    """The sample of this type, with some fields changed."""
    return data_class_of(event_type)(**(_FIELDS[event_type] | changes))


def event_of(event_type: EventType, sequence: int = 7, **changes: Any) -> Event:
    """The sample as an event."""
    return Event(sequence=sequence, timestamp_ms=AT_MS, data=data_of(event_type, **changes))
