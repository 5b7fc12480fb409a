"""Signals: messages from outside, queued under their names in log order."""

from __future__ import annotations

from flowstrand.engine.events import SignalReceived
from flowstrand.engine.evolve import Draft
from flowstrand.engine.schema import Payload
from flowstrand.errors import Conflict


def receive(draft: Draft, name: str, value: Payload, *, request_id: str | None = None) -> int:
    """Record a signal, unless this request has been recorded; returns the sequence of its event.

    Raises:
        Conflict: `EXECUTION_CLOSED`.
    """
    recorded = None if request_id is None else draft.state.requests.get(request_id)
    if recorded is not None:
        return recorded
    if draft.state.closed:
        raise Conflict("the execution has ended", code="EXECUTION_CLOSED")
    draft.emit(SignalReceived(name=name, value=value, request_id=request_id))
    return draft.state.sequence
