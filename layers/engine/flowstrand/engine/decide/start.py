"""Starting an execution or a standalone task: the decisions that are made on an empty log."""

from __future__ import annotations

from dataclasses import replace

from flowstrand.engine import ids
from flowstrand.engine.decide import task
from flowstrand.engine.events import ParentRef, TaskCreated, WorkflowStarted, WorkflowStatus
from flowstrand.engine.replay.commands import ScheduleTask
from flowstrand.engine.schema import EpochMs, Payload
from flowstrand.engine.trace_context import TraceContext
from flowstrand.jsonvalue import JsonObject


def start_workflow(
    execution_id: str,
    *,
    kind: str,
    input: Payload,
    queue: str,
    version: str | None = None,
    metadata: JsonObject | None = None,
    parent: ParentRef | None = None,
    timeout_at_ms: int | None = None,
    idempotency_key: str | None = None,
    trace: TraceContext | None = None,
) -> WorkflowStarted:
    """The event at sequence 1."""
    return WorkflowStarted(
        workflow_execution_id=execution_id,
        kind=kind,
        status=WorkflowStatus.PENDING,
        parent_workflow_execution_id=parent.workflow_execution_id if parent else None,
        input=input,
        queue=queue,
        version=version,
        metadata=metadata,
        parent=parent,
        timeout_at_ms=None if timeout_at_ms is None else EpochMs(timeout_at_ms),
        idempotency_key=idempotency_key,
        trace=trace,
    )


def start_task(
    task_id: str,
    command: ScheduleTask,
    *,
    metadata: JsonObject | None = None,
    idempotency_key: str | None = None,
    trace: TraceContext | None = None,
) -> TaskCreated:
    """The same of a standalone task, whose `command` is nobody's: its position is the root."""
    created = task.created(task_id, replace(command, position=ids.ROOT), metadata=metadata)
    return replace(created, idempotency_key=idempotency_key, trace=trace)
