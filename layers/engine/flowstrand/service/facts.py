"""What commits say, counted: executions begun and ended, attempts claimed and failed (see `observability.metrics`).

Counted where every commit comes by once, and not where it is written: a writer may die between its commit and its count.
"""

from __future__ import annotations

from collections.abc import Iterable

from flowstrand.engine.events import Event, EventType, TaskFailed, TaskStatus, WorkflowFailed
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.observability import meter, metrics
from flowstrand.observability.metrics import Metric

_BY_TYPE: dict[EventType, Metric] = {
    EventType.WORKFLOW_STARTED: metrics.EXECUTIONS_STARTED,
    EventType.WORKFLOW_COMPLETED: metrics.EXECUTIONS_COMPLETED,
    EventType.WORKFLOW_FAILED: metrics.EXECUTIONS_FAILED,
    EventType.WORKFLOW_CANCELLED: metrics.EXECUTIONS_CANCELLED,
    EventType.TASK_STARTED: metrics.TASKS_CLAIMED,
    EventType.TASK_COMPLETED: metrics.TASKS_COMPLETED,
}


def count(events: Iterable[Event]) -> None:
    """Count what happened; what a retry has copied from another log happened there."""
    for event in events:
        if event.happened_at_ms is None:
            for metric in _told_by(event):
                meter.count(metric)


def _told_by(event: Event) -> list[Metric]:
    found = [_BY_TYPE[event.type]] if event.type in _BY_TYPE else []
    match event.data:
        case TaskFailed(status=status, failure_type=failure_type):
            found += [metrics.ATTEMPTS_FAILED] if event.data.attempt else []
            found += [metrics.TASKS_FAILED] if status is TaskStatus.FAILED else []
            found += [metrics.LEASES_EXPIRED] if failure_type == FailureType.LEASE_EXPIRED.value else []
        case WorkflowFailed(failure_type=FailureType.POISON.value):
            found.append(metrics.EXECUTIONS_POISONED)
        case _:
            pass
    return found
