"""Workflow state: values that workflow code lets clients see."""

from __future__ import annotations

from flowstrand.engine.events import StateCleared, StateSet
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import ClearState, SetState


def change(draft: Draft, command: SetState | ClearState) -> None:
    """Record that workflow code set or cleared a value."""
    match command:
        case SetState(position=position, key=key, value=value):
            draft.emit(StateSet(position=position, key=key, value=value))
        case ClearState(position=position, key=key):
            draft.emit(StateCleared(position=position, key=key))
