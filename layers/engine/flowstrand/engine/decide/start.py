"""Starting an execution: the one decision that is made on an empty log."""

from __future__ import annotations

from flowstrand.engine.events import ParentRef, WorkflowStarted, WorkflowStatus
from flowstrand.engine.schema import EpochMs, Payload
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
    )
