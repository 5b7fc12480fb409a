"""Cancellation: asked for once, delivered to the code like any other event; or the end at once, without the code."""

from __future__ import annotations

from flowstrand.engine.decide import child, turn
from flowstrand.engine.events import CancellationRequested
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.outcome import Cancelled
from flowstrand.errors import Conflict


def cancel(
    draft: Draft,
    *,
    reason: str | None = None,
    cascade: bool = True,
    force: bool = False,
    request_id: str | None = None,
) -> None:
    """Record that somebody asked for the execution to end, once; its children are asked in the same decision.

    An execution that has committed no turn ends at once: there is no code that could clean up.

    Args:
        cascade: whether its open children are asked as well.
        force: end it now; its code does not run again.

    Raises:
        Conflict: `EXECUTION_CLOSED`.
    """
    if draft.state.closed:
        raise Conflict("the execution has ended", code="EXECUTION_CLOSED")
    if draft.state.cancel_requested_at is None:
        draft.emit(CancellationRequested(reason=reason, cascade=cascade, request_id=request_id))
        if cascade:
            _ask_children(draft, reason)
        force = force or not draft.state.has_begun
    if force:
        turn.close(draft, Cancelled(reason), draft.state.horizon, None)


def _ask_children(draft: Draft, reason: str | None) -> None:
    for position in sorted(draft.state.children):
        if draft.state.children[position].cancel_at is None:
            child.request_cancel(draft, position, reason=reason)
