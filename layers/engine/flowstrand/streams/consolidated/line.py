"""`Line`: an execution and those that it continues as, one after the other, as far as a merge has got in them. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import field
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import Event
from flowstrand.engine.ids import ExecutionId, successor_id

Key: TypeAlias = tuple[int, int]
"""Where an event wants to be: a time in epoch milliseconds; of those at one time, the line that joined first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Origin:
    """Where a child was asked for.

    Attributes:
        parent: the line of its parent.
        hops: which log of that line: how often it had continued.
        sequence: of the `CHILD_WORKFLOW_INITIATED` there.
        position: of the command there; what the parent and the child call it by.
        at_ms: the time of that event. Nothing of the child is placed before it, whatever another host's clock says.
    """

    parent: Line
    hops: int
    sequence: int
    position: int
    at_ms: int

    @property
    def log(self) -> ExecutionId:
        """The parent's log."""
        return self.parent.log_after(self.hops)


@dataclass(slots=True, kw_only=True, eq=False)
class Line:
    """What is told of one execution, which its parent knows as one however often it continues.

    Attributes:
        number: the order in which lines have joined.
        first: its first execution.
        origin: None for the root.
        hops: how often it has continued.
        position: the last sequence of its current log that has been told.
        buffer: what has been read of that log behind `position`, and not been told.
        read_at: the round in which `buffer` was read.
        is_void: whether its log, which has been read, is not part of the tree, or of what is kept of that: when its turn comes, nothing
            is told of it.
        ended_at: the round in which it was seen that nothing was there behind `buffer`; None where that is not known.
    """

    number: int
    first: ExecutionId
    origin: Origin | None = None
    hops: int = 0
    position: int = 0
    buffer: deque[Event] = field(default_factory=deque)
    read_at: int = 0
    ended_at: int | None = None
    is_void: bool = False
    log: ExecutionId = field(init=False)
    _told_ms: int = 0

    def __post_init__(self) -> None:
        """Its log follows from where it has got to."""
        self.log = self.log_after(self.hops)

    def log_after(self, hops: int) -> ExecutionId:
        """The log of the execution that its first has continued as, so many times on."""
        return successor_id(self.first, hops)

    @property
    def head(self) -> Event | None:
        """The next event, where it has been read."""
        return self.buffer[0] if self.buffer else None

    @property
    def bound(self) -> Key:
        """No event that is still to be read wants to be before this."""
        joined_ms = self.origin.at_ms if self.origin else 0
        return max(joined_ms, self._told_ms), self.number

    @property
    def key(self) -> Key:
        """Where the next event, which has been read, wants to be; where a line without any comes to its turn."""
        joined_ms = self.origin.at_ms if self.origin else 0
        stamp_ms = self.buffer[0].timestamp_ms if self.buffer else 0
        return max(joined_ms, stamp_ms), self.number

    @property
    def is_unknown(self) -> bool:
        """Whether its log must be read before anything can be said about its next event."""
        return not self.buffer and self.ended_at is None and not self.is_void

    @property
    def read_to(self) -> int:
        """The last sequence of its current log that has been read."""
        return self.position + len(self.buffer)

    def is_quiet_since(self, round: int) -> bool:
        """Whether it was seen after `round` that nothing is there behind `position`."""
        return not self.buffer and self.ended_at is not None and self.ended_at > round

    def take(self) -> Event:
        """Tell the next event."""
        event = self.buffer.popleft()
        self.position, self._told_ms = event.sequence, event.timestamp_ms
        return event

    def continue_as(self, log: ExecutionId) -> None:
        """Go on with the log of the execution that this one has continued as."""
        self.log = log
        self.hops, self.position, self.ended_at, self._told_ms = self.hops + 1, 0, None, 0
        self.buffer.clear()
