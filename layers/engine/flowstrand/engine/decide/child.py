"""Child workflows, as their parent's log records them."""

from __future__ import annotations

from typing import TypedDict

from flowstrand.engine import ids
from flowstrand.engine.events import (
    ChildCancellationFailed,
    ChildCancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    ErrorInfo,
    ParentClosePolicy,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStatus,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import StartChild
from flowstrand.engine.state import OpenChild

_PARENT_ENDED = "the parent workflow has ended"


class _Common(TypedDict):
    child_workflow_id: str
    position: int
    name: str
    kind: str


def initiate(draft: Draft, command: StartChild) -> None:
    """Record that workflow code asked for a child."""
    draft.emit(
        ChildInitiated(
            child_workflow_id=command.child_id
            or ids.operation_id(draft.state.workflow_execution_id, ids.CHILD, command.position),
            position=command.position,
            name=command.name,
            kind=command.kind,
            status=WorkflowStatus.PENDING,
            input=command.input,
            queue=command.queue,
            parent_close_policy=command.parent_close_policy,
            timeout_ms=command.timeout_ms,
        )
    )


def started(draft: Draft, position: int) -> bool:
    """Record that the child's log has begun, once; says whether anything was recorded."""
    child = draft.state.children.get(position)
    if draft.state.closed or child is None or child.is_started:
        return False
    draft.emit(ChildStarted(**_common(child), status=WorkflowStatus.RUNNING))
    return True


def ended(draft: Draft, position: int, end: WorkflowCompleted | WorkflowFailed | WorkflowCancelled) -> bool:
    """Record how the child ended, with a missing start before it; a closed parent drops it.

    Says whether anything was recorded.
    """
    child = draft.state.children.get(position)
    if draft.state.closed or child is None:
        return False
    started(draft, position)
    common = _common(child)
    match end:
        case WorkflowCompleted(output=output):
            draft.emit(ChildCompleted(**common, status=WorkflowStatus.COMPLETED, output=output))
        case WorkflowFailed(error=error, failure_type=failure_type):
            draft.emit(ChildFailed(**common, status=WorkflowStatus.FAILED, error=error, failure_type=failure_type))
        case WorkflowCancelled(reason=reason):
            error = ErrorInfo(type="WorkflowCancelled", message=reason or "cancelled")
            kind = FailureType.CANCELLED.value
            draft.emit(ChildFailed(**common, status=WorkflowStatus.CANCELLED, error=error, failure_type=kind))
    return True


def refused(draft: Draft, position: int) -> bool:
    """Record that the child cannot begin, because the id it was to have is another execution's.

    Says whether anything was recorded.
    """
    child = draft.state.children.get(position)
    if draft.state.closed or child is None or child.is_started:
        return False
    error = ErrorInfo(
        type="WorkflowAlreadyExists", message=f"there is another execution {child.child_workflow_id!r}"
    )
    kind = FailureType.ALREADY_EXISTS.value
    draft.emit(ChildFailed(**_common(child), status=WorkflowStatus.FAILED, error=error, failure_type=kind))
    return True


def request_cancel(
    draft: Draft,
    position: int,
    *,
    command: int | None = None,
    reason: str | None = None,
    force: bool = False,
) -> None:
    """Record that the child is to be told to cancel, if it is open.

    Args:
        command: the position of the cancel command; None where the parent's own cancellation or end is the reason.
        force: it is to be ended at once.
    """
    child = draft.state.children.get(position)
    if child is not None:
        draft.emit(
            ChildCancellationRequested(
                **_common(child),
                status=WorkflowStatus.CANCELLING,
                reason=reason,
                force=force or None,
                command=command,
            )
        )


def cancel_failed(draft: Draft, position: int, error: ErrorInfo) -> bool:
    """Record that the child cannot be told of its cancel request, once; says whether anything was recorded."""
    child = draft.state.children.get(position)
    if draft.state.closed or child is None or child.cancel_at is None or child.is_cancel_failed:
        return False
    draft.emit(ChildCancellationFailed(**_common(child), status=WorkflowStatus.RUNNING, error=error))
    return True


def parent_closes(draft: Draft, position: int) -> None:
    """Apply the parent-close policy of the child, if it is open; what it has been asked already is not repeated."""
    child = draft.state.children.get(position)
    if child is None:
        return
    match child.parent_close_policy:
        case ParentClosePolicy.CANCEL if child.cancel_at is None:
            request_cancel(draft, position, reason=_PARENT_ENDED)
        case ParentClosePolicy.TERMINATE if not child.is_forced:
            request_cancel(draft, position, reason=_PARENT_ENDED, force=True)
        case _:
            pass


def _common(child: OpenChild) -> _Common:
    return _Common(
        child_workflow_id=child.child_workflow_id, position=child.position, name=child.name, kind=child.kind
    )
