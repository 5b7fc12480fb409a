"""`WORKFLOW_*`: the life of an execution."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import (
    ErrorInfo,
    EventType,
    Family,
    ParentRef,
    RetryOf,
    SuspendType,
    WaitGroup,
    WorkflowStatus,
)
from flowstrand.engine.schema import EpochMs, Payload
from flowstrand.engine.trace_context import TraceContext
from flowstrand.jsonvalue import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class _WorkflowEvent:
    """What all of them have.

    Attributes:
        kind: of the workflow.
        status: how the execution stands after this event.
        parent_workflow_execution_id: the execution that this one is a child of.
        worker_id: the process that ran the turn.
    """

    FAMILY: ClassVar[Family] = Family.WORKFLOW

    workflow_execution_id: str
    kind: str
    status: WorkflowStatus
    parent_workflow_execution_id: str | None = None
    worker_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowStarted(_WorkflowEvent):
    """Sequence 1, once.

    Attributes:
        timeout_at_ms: when the execution fails if it is still open.
        continued_from: the execution that continued as this one.
        idempotency_key: the key that it was started under, or the first of those that have continued as it.
        retry_of: the failed execution whose history follows. Nothing happens before `RETRY_REQUESTED`, which ends that.
        trace: whose trace it belongs to: that of whoever started it.
    """

    TYPE: ClassVar[EventType] = EventType.WORKFLOW_STARTED

    input: Payload = field(metadata={"payload": True})
    queue: str
    metadata: JsonObject | None = None
    version: str | None = None
    parent: ParentRef | None = None
    timeout_at_ms: EpochMs | None = None
    continued_from: str | None = None
    idempotency_key: str | None = None
    retry_of: RetryOf | None = None
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSuspended(_WorkflowEvent):
    """A turn ended, and the code waits.

    Attributes:
        suspend_type: what kind of thing it waits for.
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
    """The code returned, or continued as another execution.

    Attributes:
        unseen: sequences of observable events that the code had not seen.
        continued_as: the execution that goes on from here.
        continued_input: its input.
        carried_signals: sequences of signals here that nobody has taken; they are the first things it receives.
    """

    TYPE: ClassVar[EventType] = EventType.WORKFLOW_COMPLETED

    output: Payload = field(metadata={"payload": True})
    horizon: int
    unseen: tuple[int, ...] = ()
    continued_as: str | None = None
    continued_input: Payload = field(default=None, metadata={"payload": True})
    carried_signals: tuple[int, ...] | None = None


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
