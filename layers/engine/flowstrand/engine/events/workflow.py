"""`WORKFLOW_*`: the life of an execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from flowstrand.engine.events.vocabulary import (
    ErrorInfo,
    EventType,
    Family,
    ParentRef,
    SuspendType,
    WaitGroup,
    WorkflowStatus,
)
from flowstrand.engine.schema import Payload
from flowstrand.jsonvalue import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class _WorkflowEvent:
    FAMILY: ClassVar[Family] = Family.WORKFLOW

    workflow_execution_id: str
    kind: str
    status: WorkflowStatus
    parent_workflow_execution_id: str | None = None
    worker_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStarted(_WorkflowEvent):
    """Sequence 1, once."""

    TYPE: ClassVar[EventType] = EventType.WORKFLOW_STARTED

    input: Payload = field(metadata={"payload": True})
    queue: str
    metadata: JsonObject | None = None
    version: str | None = None
    parent: ParentRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSuspended(_WorkflowEvent):
    """A turn ended, and the code waits.

    Attributes:
        waits: any one of these groups, released, makes the execution runnable.
        horizon: the last sequence delivered to the code.
    """

    TYPE: ClassVar[EventType] = EventType.WORKFLOW_SUSPENDED

    suspend_type: SuspendType | None = None
    waits: tuple[WaitGroup, ...]
    horizon: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowResumed(_WorkflowEvent):
    """A later turn began."""

    TYPE: ClassVar[EventType] = EventType.WORKFLOW_RESUMED


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCompleted(_WorkflowEvent):
    """The code returned.

    Attributes:
        unseen: sequences of observable events that the code had not seen.
    """

    TYPE: ClassVar[EventType] = EventType.WORKFLOW_COMPLETED

    output: Payload = field(metadata={"payload": True})
    horizon: int
    unseen: tuple[int, ...] = ()
    continued_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFailed(_WorkflowEvent):
    """The code raised, or could not go on; `failure_type` says which."""

    TYPE: ClassVar[EventType] = EventType.WORKFLOW_FAILED

    error: ErrorInfo
    failure_type: str
    horizon: int
    unseen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowCancelled(_WorkflowEvent):
    """The execution was cancelled."""

    TYPE: ClassVar[EventType] = EventType.WORKFLOW_CANCELLED

    reason: str | None = None
    horizon: int
    unseen: tuple[int, ...] = ()
