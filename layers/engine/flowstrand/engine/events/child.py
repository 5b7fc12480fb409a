"""`CHILD_WORKFLOW_*`: what a parent knows of its child. The child's own events are in the child's log."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import (
    ErrorInfo,
    EventType,
    Family,
    ParentClosePolicy,
    WorkflowStatus,
)
from flowstrand.engine.schema import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChildEvent:
    """What all of them have.

    Attributes:
        child_workflow_id: the child's execution id.
        position: which of the code's requests it is, from 1.
        name: what the parent calls it.
        kind: of the workflow.
        status: how the child stands, as far as its parent knows.
    """

    FAMILY: ClassVar[Family] = Family.CHILD

    child_workflow_id: str
    position: int
    name: str
    kind: str
    status: WorkflowStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildInitiated(_ChildEvent):
    """Workflow code asked for a child.

    Attributes:
        timeout_ms: how long it may take from its own start; None for ever.
    """

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_INITIATED

    input: Payload = field(metadata={"payload": True})
    queue: str
    parent_close_policy: ParentClosePolicy = ParentClosePolicy.CANCEL
    timeout_ms: int | None = None


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
    """The child failed, was cancelled (`failure_type` is CANCELLED), or could not have the id asked for (ALREADY_EXISTS)."""

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_FAILED

    error: ErrorInfo
    failure_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCancellationRequested(_ChildEvent):
    """The child is to be told to cancel.

    Attributes:
        force: it is to be ended at once.
        command: the position of the cancel command; None where the parent's cancellation or end is the reason.
    """

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_CANCELLATION_REQUESTED

    reason: str | None = None
    force: bool | None = None
    command: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCancellationFailed(_ChildEvent):
    """The child could not be told."""

    TYPE: ClassVar[EventType] = EventType.CHILD_WORKFLOW_CANCELLATION_FAILED

    error: ErrorInfo
