"""How an event of a failed execution reads in the log of one that begins from its history.

Ids derive from the execution's and from positions, and are those of the new execution; only a child that has begun keeps its
id, which names a log. Sequences that events name are counted anew. What has a time limit has all of it again, where it is done
again; a timer that limits nothing fires when it was to fire.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids
from flowstrand.engine.events import (
    ChildInitiated,
    ChildStarted,
    Event,
    EventData,
    OperationCompleted,
    OperationFailed,
    PromiseCreated,
    RetryOf,
    TimerStarted,
    WorkflowResumed,
    WorkflowStarted,
    WorkflowSuspended,
)
from flowstrand.engine.events.event import ChildEvent, PromiseEvent, TaskEvent, TimerEvent
from flowstrand.engine.events.vocabulary import WorkflowStatus
from flowstrand.engine.retried.keeping import Kept
from flowstrand.engine.schema import EpochMs

TurnMarker = TypeVar("TurnMarker", WorkflowSuspended, WorkflowResumed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """Of one history.

    Attributes:
        execution_id: of the new execution.
        begins_at_ms: when it begins.
        same_ids: positions of children that are begun again under the ids that they were to have.
        renumbered: where in the new log what lies up to a sequence of the old one ends.
    """

    execution_id: str
    begins_at_ms: int
    kept: Kept
    same_ids: frozenset[int]
    renumbered: Callable[[int], int]

    def started(self, event: Event, retry_of: RetryOf) -> WorkflowStarted:
        """The first event: as the old one, with as long to go as that had, and no parent, which has been told of the failure."""
        started = event.data
        assert isinstance(started, WorkflowStarted)
        return replace(
            started,
            workflow_execution_id=self.execution_id,
            parent=None,
            parent_workflow_execution_id=None,
            timeout_at_ms=self._later(started.timeout_at_ms, event),
            continued_from=None,
            idempotency_key=None,
            retry_of=retry_of,
        )

    def rewritten(self, event: Event) -> EventData:
        """One of the events between the first and the last."""
        data = event.data
        match data:
            case OperationCompleted() | OperationFailed():
                id = ids.operation_id(self.execution_id, ids.OPERATION, data.index)
                issued_at = None if data.issued_at is None else self.renumbered(data.issued_at)
                return replace(data, operation_id=id, issued_at=issued_at)
            case data if isinstance(data, TaskEvent):
                return replace(data, task_execution_id=self._id(ids.TASK, data.position))
            case data if isinstance(data, TimerEvent):
                return self._timer(event, data)
            case data if isinstance(data, PromiseEvent):
                return self._promise(event, data)
            case data if isinstance(data, ChildEvent):
                return replace(data, child_workflow_id=self._child_id(data))
            case WorkflowSuspended(horizon=horizon):
                return self._orphaned(replace(data, horizon=self.renumbered(horizon)))
            case WorkflowResumed():
                return self._orphaned(data)
            case _:
                return data

    def begun(self, initiated: ChildInitiated) -> ChildStarted:
        """That a child goes on, which had been asked for, and of which nobody had said yet that it had begun."""
        return ChildStarted(
            child_workflow_id=initiated.child_workflow_id,
            position=initiated.position,
            name=initiated.name,
            kind=initiated.kind,
            status=WorkflowStatus.RUNNING,
        )

    def _orphaned(self, data: TurnMarker) -> TurnMarker:
        return replace(data, workflow_execution_id=self.execution_id, parent_workflow_execution_id=None)

    def _timer(self, event: Event, data: TimerEvent) -> TimerEvent:
        data = replace(data, timer_id=self._id(ids.TIMER, data.position))
        if isinstance(data, TimerStarted) and data.is_timeout and data.position in self.kept.again:
            return replace(data, fire_at_ms=self._later(data.fire_at_ms, event) or data.fire_at_ms)
        return data

    def _promise(self, event: Event, data: PromiseEvent) -> PromiseEvent:
        data = replace(data, promise_id=self._id(ids.PROMISE, data.position))
        if isinstance(data, PromiseCreated) and data.position in self.kept.again:
            return replace(data, timeout_at_ms=self._later(data.timeout_at_ms, event))
        return data

    def _child_id(self, data: ChildEvent) -> str:
        if data.position not in self.kept.again or data.position in self.same_ids:
            return data.child_workflow_id
        return self._id(ids.CHILD, data.position)

    def _id(self, family: str, position: int) -> str:
        return ids.operation_id(self.execution_id, family, position)

    def _later(self, at_ms: EpochMs | None, event: Event) -> EpochMs | None:
        """As long after the beginning of the new execution as it was after `event`."""
        return None if at_ms is None else EpochMs(self.begins_at_ms + max(0, at_ms - event.timestamp_ms))
