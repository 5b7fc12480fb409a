"""From a vector back to the lines of a merge. Pure, but for the look into logs that it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from flowstrand.engine.events import ChildInitiated, Event
from flowstrand.engine.ids import ExecutionId
from flowstrand.streams.consolidated.line import Line, Origin
from flowstrand.streams.consolidated.vector import Place

Look: TypeAlias = Callable[[ExecutionId, int], Event | None]
"""The event of a log at a sequence; None where there is none."""


def lines_of(places: Iterable[Place], root: ExecutionId, look: Look) -> Iterator[tuple[Line, bool]]:
    """The line of each place, in order, and whether its log is open: those that are not only lead to others.

    Whether the logs are what the vector takes them for, that is whose children they are, is for the caller to see.

    Raises:
        ValueError: the vector is not one of this tree.
    """
    lines: list[Line] = []
    reached: list[int | None] = []
    seen: set[tuple[ExecutionId, ExecutionId | None, int]] = set()
    for number, place in enumerate(places):
        first, origin = root, None
        if place.parent is not None:
            first, origin = _asked_for(lines[place.parent], place, reached[place.parent], look)
        line = Line(number=number, first=first, origin=origin, hops=place.hops, position=place.position or 0)
        known = (line.log, origin.log if origin else None, origin.position if origin else 0)
        if known in seen:
            raise ValueError("a log has two places")
        seen.add(known)
        lines.append(line)
        reached.append(place.position)
        yield line, place.position is not None


def _asked_for(parent: Line, place: Place, reached: int | None, look: Look) -> tuple[ExecutionId, Origin]:
    """The child that the log of `parent`, told up to `reached`, asks for where `place` says."""
    if reached is not None and place.sequence > reached:
        raise ValueError("a child has a place that has not been asked for yet")
    event = look(parent.log, place.sequence)
    if event is None or not isinstance(event.data, ChildInitiated):
        raise ValueError("no child was asked for there")
    joined_ms = parent.origin.at_ms if parent.origin else 0
    origin = Origin(
        parent=parent,
        hops=parent.hops,
        sequence=place.sequence,
        position=event.data.position,
        at_ms=max(joined_ms, event.timestamp_ms),
    )
    return ExecutionId(event.data.child_workflow_id), origin
