"""`CHILD_WORKFLOW_*`: what a parent knows of its child. The child's own events are in the child's log."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from flowstrand.engine.events.vocabulary import ErrorInfo, EventType, Family, WorkflowStatus
from flowstrand.engine.schema import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChildEvent:
    FAMILY: ClassVar[Family] = Family.CHILD

    child_workflow_id: str
    position: int
    name: str
    kind: str
    status: WorkflowStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildInitiated(_ChildEvent):
    """Workflow code asked for a child."""

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_INITIATED

    input: Payload = field(metadata={"payload": True})
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStarted(_ChildEvent):
    """The child's own log has begun."""

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_STARTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCompleted(_ChildEvent):
    """The child completed; appended after the child's own `WORKFLOW_COMPLETED`."""

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_COMPLETED

    output: Payload = field(metadata={"payload": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildFailed(_ChildEvent):
    """The child failed, or was cancelled (`failure_type` is CANCELLED)."""

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_FAILED

    error: ErrorInfo
    failure_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCancellationRequested(_ChildEvent):
    """The child is to be told to cancel."""

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_CANCELLATION_REQUESTED


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCancellationFailed(_ChildEvent):
    """The child could not be told."""

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_CANCELLATION_FAILED

    error: ErrorInfo
