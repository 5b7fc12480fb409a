"""Ends that no code has a say in: an execution that outlived its timeout, and one whose code cannot be run."""

from __future__ import annotations

from flowstrand.engine.decide import turn
from flowstrand.engine.events import ErrorInfo
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.outcome import Raised
from flowstrand.engine.schema import rfc3339


def time_out(draft: Draft) -> bool:
    """Fail the execution if it is open at its timeout; says whether it was."""
    timeout_at_ms = draft.state.timeout_at_ms
    if draft.state.closed or timeout_at_ms is None or timeout_at_ms > draft.now_ms:
        return False
    message = f"the workflow had not ended by its timeout, {rfc3339(timeout_at_ms)}"
    _end(draft, "WorkflowTimeout", message, FailureType.TIMEOUT)
    return True


def poison(draft: Draft, *, sequence: int, turns: int) -> bool:
    """Fail an execution whose code has ended the process again and again, if its log still ends at `sequence`."""
    if draft.state.closed or draft.state.sequence != sequence:
        return False
    message = f"the workflow's code ended the process, or was never done, in {turns} turns after event {sequence}"
    _end(draft, "PoisonTurn", message, FailureType.POISON)
    return True


def _end(draft: Draft, type: str, message: str, failure_type: FailureType) -> None:
    """What the code has not seen by now it never will: the horizon stays where its last turn left it."""
    error = ErrorInfo(type=type, message=message)
    turn.close(draft, Raised(error, failure_type.value), draft.state.horizon, None)
