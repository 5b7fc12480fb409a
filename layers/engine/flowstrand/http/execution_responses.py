"""Response bodies of the routes of executions."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.events.vocabulary import SuspendType, WorkflowStatus
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schema import rfc3339, to_json
from flowstrand.http.response_body import ErrorView, Links, Moment, ResponseBody
from flowstrand.service import signal_with_start
from flowstrand.service.executions import ExecutionSnapshot


class ExecutionStarted(ResponseBody):
    """201: the execution that now exists; 200: the one that the idempotency key stands for."""

    workflow_execution_id: str
    status: WorkflowStatus
    kind: str
    created_at: Moment
    links: Links
    idempotency_key_used: bool
    idempotency_key_new: bool

    @classmethod
    def of(
        cls, org: OrgId, snapshot: ExecutionSnapshot, *, is_keyed: bool = False, is_key_new: bool = False
    ) -> ExecutionStarted:
        """A new execution, or with a key perhaps one that was there."""
        return cls(
            workflow_execution_id=snapshot.workflow_execution_id,
            status=snapshot.status,
            kind=snapshot.kind,
            created_at=rfc3339(snapshot.created_at_ms),
            links=Links.of(org, snapshot.workflow_execution_id),
            idempotency_key_used=is_keyed,
            idempotency_key_new=is_key_new,
        )


class ExecutionRetried(ResponseBody):
    """201: the execution that goes on from the history of a failed one; 200: the one that this request has begun before."""

    workflow_execution_id: str
    status: WorkflowStatus
    kind: str
    created_at: str
    links: Links
    retried_from: str

    @classmethod
    def of(cls, org: OrgId, snapshot: ExecutionSnapshot) -> ExecutionRetried:
        """What `snapshot`, of a retry, says."""
        return cls(
            workflow_execution_id=snapshot.workflow_execution_id,
            status=snapshot.status,
            kind=snapshot.kind,
            created_at=rfc3339(snapshot.created_at_ms),
            links=Links.of(org, snapshot.workflow_execution_id),
            retried_from=str(snapshot.retried_from),
        )


class SignalledWithStart(ExecutionStarted):
    """201: the execution that was started with a signal; 200: the one that was signalled. And the sequence of the signal's event."""

    signal_event_sequence: int

    @classmethod
    def told(cls, org: OrgId, signalled: signal_with_start.SignalledWithStart) -> SignalledWithStart:
        """What `signalled` says."""
        started = ExecutionStarted.of(org, signalled.snapshot, is_keyed=True, is_key_new=signalled.is_new)
        return cls(**started.__dict__, signal_event_sequence=signalled.sequence)


class ExecutionView(ResponseBody):
    """An execution as of `current_sequence`.

    `suspend_type`, what it waits for first, is there while it is WAITING, `output` once it is COMPLETED, and may be null.
    """

    workflow_execution_id: str
    kind: str
    status: WorkflowStatus
    created_at: Moment
    current_sequence: int
    queue: str
    links: Links
    suspend_type: SuspendType | None = None
    version: str | None = None
    metadata: dict[str, Any] | None = None
    parent_workflow_execution_id: str | None = None
    output: Any = None
    error: ErrorView | None = None
    failure_type: str | None = None
    continued_as: str | None = None
    retried_from: str | None = None

    @classmethod
    def of(cls, org: OrgId, snapshot: ExecutionSnapshot) -> ExecutionView:
        """What `snapshot` says."""
        return cls(
            workflow_execution_id=snapshot.workflow_execution_id,
            kind=snapshot.kind,
            status=snapshot.status,
            created_at=rfc3339(snapshot.created_at_ms),
            current_sequence=snapshot.current_sequence,
            queue=snapshot.queue,
            links=Links.of(org, snapshot.workflow_execution_id),
            **_optional(snapshot),
        )


class SignalRecorded(ResponseBody):
    """The sequence that a signal's event has."""

    signal_event_sequence: int


def _optional(snapshot: ExecutionSnapshot) -> dict[str, Any]:
    """The fields that not every execution has."""
    given: dict[str, Any] = {
        "suspend_type": snapshot.suspend_type,
        "version": snapshot.version,
        "metadata": snapshot.metadata,
        "parent_workflow_execution_id": snapshot.parent_workflow_execution_id,
        "error": None if snapshot.error is None else to_json(snapshot.error),
        "failure_type": snapshot.failure_type,
        "continued_as": snapshot.continued_as,
        "retried_from": snapshot.retried_from,
    }
    present = {name: value for name, value in given.items() if value is not None}
    if snapshot.status is WorkflowStatus.COMPLETED:
        present["output"] = snapshot.output
    return present
