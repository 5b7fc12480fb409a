"""Child workflows."""

from __future__ import annotations

from dataclasses import replace

from flowstrand.engine.events import (
    ChildCancellationFailed,
    ChildCancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    Event,
)
from flowstrand.engine.folding.settling import settle
from flowstrand.engine.state import ExecutionState, OpenChild


def apply_child(
    state: ExecutionState, event: Event, data: ChildInitiated | ChildStarted | ChildCompleted | ChildFailed
) -> None:
    """A child workflow was asked for, began, or has ended."""
    match data:
        case ChildInitiated():
            state.has_begun = True
            state.children[data.position] = OpenChild(
                position=data.position,
                child_workflow_id=data.child_workflow_id,
                kind=data.kind,
                name=data.name,
                queue=data.queue,
                is_started=False,
                parent_close_policy=data.parent_close_policy,
                initiated_at=event.sequence,
                changed_at=event.sequence,
            )
        case ChildStarted():
            child = state.children[data.position]
            state.children[data.position] = replace(child, is_started=True, changed_at=event.sequence)
        case ChildCompleted() | ChildFailed():
            del state.children[data.position]
            settle(state, event, data.position, failed=isinstance(data, ChildFailed))


def apply_child_cancellation(
    state: ExecutionState, event: Event, data: ChildCancellationRequested | ChildCancellationFailed
) -> None:
    """A child is to be told to cancel, or cannot be told."""
    child = state.children[data.position]
    if isinstance(data, ChildCancellationFailed):
        child = replace(child, is_cancel_failed=True, changed_at=event.sequence)
    else:
        forced = child.is_forced or bool(data.force)
        child = replace(child, cancel_at=event.sequence, is_forced=forced, changed_at=event.sequence)
    state.children[data.position] = child
