"""What is left to know of an execution whose log has expired: how it began, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence

from flowstrand.engine.events import Event
from flowstrand.engine.evolve import evolve, fold
from flowstrand.engine.state import ExecutionState


def state_of_ends(first: Sequence[Event], end: Event) -> ExecutionState:
    """The state at `end`, as far as the events of the first commit and the terminal event tell.

    Nothing is open in it: an execution that has ended has no open work.

    Raises:
        LogCorrupted: `first` is not how a log begins.
    """
    state = fold(None, [event for event in first if event.sequence < end.sequence])
    state.sequence = end.sequence - 1
    return evolve(state, end)
