"""`Gates`: what the next event of a line waits for, in another line. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, auto

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import (
    CancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    Event,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.streams.consolidated.line import Line

_TOLD = re.compile(r"(.+)/([0-9]{1,15})/([0-9]{1,15})")
"""The request id with which a parent tells its child to cancel: its own id, the child's position, the sequence of its request."""


class Why(Enum):
    """What a gate is."""

    CHILD = auto()
    """A child's event comes first: its first, or its last."""
    CAUSE = auto()
    """The parent's request comes first that seems to have caused it. Only seems: a client may name its own request so."""
    ROOM = auto()
    """A child is about to join, and there are as many as there may be."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The next event of a line waits for `line`; for its own line where it waits for room."""

    why: Why
    line: Line


class Gates:
    """Over the lines of a merge."""

    def __init__(self, lines: Mapping[int, Line], max_open: int) -> None:
        """`lines` is the merge's own, which changes."""
        self._lines = lines
        self._max_open = max_open
        self._children: dict[tuple[Line, int, int], Line] = {}
        for line in lines.values():
            self.know(line)

    def know(self, line: Line) -> None:
        """A line has joined."""
        if line.origin is not None:
            self._children[line.origin.parent, line.origin.hops, line.origin.position] = line

    def forget(self, line: Line) -> None:
        """A line has left."""
        if line.origin is not None:
            self._children.pop((line.origin.parent, line.origin.hops, line.origin.position), None)

    def child(self, parent: Line, position: int) -> Line | None:
        """The line of what the current log of `parent` calls its child at `position`, unless it has ended."""
        return self._children.get((parent, parent.hops, position))

    def of(self, line: Line) -> Gate | None:
        """What the next event of `line`, which has been read, waits for."""
        event: Event = line.buffer[0]
        match event.data:
            case ChildInitiated():
                return Gate(Why.ROOM, line) if len(self._children) >= self._max_open else None
            case ChildStarted(position=position):
                child = self.child(line, position)
                return Gate(Why.CHILD, child) if child and child.position == child.hops == 0 else None
            case ChildFailed(failure_type=FailureType.ALREADY_EXISTS):
                return None
            case ChildCompleted(position=position) | ChildFailed(position=position):
                child = self.child(line, position)
                return Gate(Why.CHILD, child) if child else None
            case CancellationRequested(request_id=str(name)):
                return self._cause(line, name)
            case _:
                return None

    def _cause(self, line: Line, request: str) -> Gate | None:
        """Behind the request of its parent, if the one that `request` names is one, and is still to be told."""
        named, origin = _TOLD.fullmatch(request), line.origin
        if named is None or origin is None:
            return None
        parent = origin.parent
        is_of_parent = named[1] == origin.log and int(named[2]) == origin.position
        if not is_of_parent or self._lines.get(parent.number) is not parent or parent.hops != origin.hops:
            return None
        if parent.position >= int(named[3]) or parent.is_quiet_since(line.read_at):
            return None
        return Gate(Why.CAUSE, parent)
