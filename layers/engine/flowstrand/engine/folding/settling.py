"""What the code can observe, kept until it has."""

from __future__ import annotations

from flowstrand.engine.events import Event
from flowstrand.engine.state import ExecutionState, Settlement


def settle(state: ExecutionState, event: Event, position: int, *, failed: bool) -> None:
    """The operation at `position` has ended, and the code may not know it yet."""
    state.settlements[position] = Settlement(event.sequence, failed)
    observe(state, event)


def observe(state: ExecutionState, event: Event) -> None:
    """The code may observe `event`, and may not have yet."""
    state.observed = (*state.observed, event.sequence)
