"""Recorded executions as traces: each is one, and its descendants are parts of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowstrand.engine.events import ChildInitiated, Event, WorkflowCompleted
from flowstrand.histories.history import History
from flowstrand.views.span import Span
from flowstrand.views.trace import Place, place_of_child, place_of_successor, spans_of


def traces_of(histories: Iterable[History]) -> Iterator[list[Span]]:
    """The spans of each log. Descendants whose ancestors come before them are parts of theirs."""
    places: dict[str, Place] = {}
    for history in histories:
        place = places.get(history.key.execution_id)
        yield spans_of(history.events, place)
        places |= _below(history.events, place)


def _below(events: tuple[Event, ...], place: Place | None) -> dict[str, Place]:
    """Where the children, and what the execution has continued as, stand in its trace."""
    found: dict[str, Place] = {}
    for event in events:
        match event.data:
            case ChildInitiated(child_workflow_id=child, position=position):
                found[child] = place_of_child(events[0], position, place)
            case WorkflowCompleted(continued_as=str(successor)):
                found[successor] = place_of_successor(events[0], place)
            case _:
                pass
    return found
