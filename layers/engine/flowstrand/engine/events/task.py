"""`TASK_*`: work that a worker does, attempt by attempt."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import ErrorInfo, EventType, Family, RetryPolicy, TaskStatus
from flowstrand.engine.schema import EpochMs, Payload
from flowstrand.engine.trace_context import TraceContext
from flowstrand.jsonvalue import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaskEvent:
    """What all of them have.

    Attributes:
        task_execution_id: the task's, the same whatever the attempt.
        position: which of the code's requests it is, from 1; 0 for a standalone task.
        status: how the task stands after this event.
        execution_count: how many attempts have begun.
        max_retries: how many attempts may follow the first.
        worker_id: the worker that has, or had, the attempt.
    """

    FAMILY: ClassVar[Family] = Family.TASK

    task_execution_id: str
    position: int
    kind: str
    status: TaskStatus
    execution_count: int
    max_retries: int
    worker_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCreated(_TaskEvent):
    """Workflow code asked for a task, or somebody started a standalone one; `execution_count` is 0.

    Attributes:
        timeout_ms: from here to its end, all attempts included; past it, the task has failed for good.
        start_to_close_ms: how long one attempt may take.
        heartbeat_timeout_ms: how long one attempt may be silent.
        priority: among tasks of a queue, higher ones are claimed first; 0 by default.
        metadata: of a standalone task, what its starter has to say of it.
        idempotency_key: of a standalone task, the key that it was started under.
        trace: of a standalone task, whose trace it belongs to.
    """

    TYPE: ClassVar[EventType] = EventType.TASK_CREATED

    input: Payload = field(metadata={"payload": True})
    queue: str
    retry: RetryPolicy
    timeout_ms: int | None = None
    start_to_close_ms: int | None = None
    heartbeat_timeout_ms: int | None = None
    priority: int | None = None
    metadata: JsonObject | None = None
    idempotency_key: str | None = None
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted(_TaskEvent):
    """A worker claimed an attempt. Attempts count from 1.

    Attributes:
        attempt: which it is.
        lease_ends_at_ms: when the attempt is given up unless a heartbeat has extended the lease.
        ends_at_ms: when it is given up whatever is heard of it: its start-to-close timeout.
    """

    TYPE: ClassVar[EventType] = EventType.TASK_STARTED

    attempt: int
    lease_ends_at_ms: EpochMs
    ends_at_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(_TaskEvent):
    """An attempt succeeded."""

    TYPE: ClassVar[EventType] = EventType.TASK_COMPLETED

    attempt: int
    output: Payload = field(metadata={"payload": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed(_TaskEvent):
    """An attempt failed: status PENDING (another follows at `retry_at_ms`) or FAILED (permanent).

    `attempt` is 0 where the task's deadline passed before any had begun.
    """

    TYPE: ClassVar[EventType] = EventType.TASK_FAILED

    attempt: int
    error: ErrorInfo
    failure_type: str
    retry_at_ms: EpochMs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCancelled(_TaskEvent):
    """The task will not be done.

    Attributes:
        command: the position of the cancel command, or None where the execution's end cancelled it, or it is standalone.
        reason: of a standalone task, what whoever cancelled it has said.
    """

    TYPE: ClassVar[EventType] = EventType.TASK_CANCELLED

    command: int | None = None
    reason: str | None = None
