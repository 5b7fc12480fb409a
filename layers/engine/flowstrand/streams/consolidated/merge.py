"""`Merge`: in which order the events of a tree of logs are told. Pure.

What causes what, between logs, is in the logs, and comes out in that order:

- every log in its own order, and behind it the log of the execution that it has continued as;
- a child's first event behind its parent's `CHILD_WORKFLOW_INITIATED`, and before `CHILD_WORKFLOW_STARTED`;
- a child's last event, or that of the last that it has continued as, before its parent's `CHILD_WORKFLOW_COMPLETED` or
  `CHILD_WORKFLOW_FAILED`;
- a child's `CANCELLATION_REQUESTED` behind the `CHILD_WORKFLOW_CANCELLATION_REQUESTED` that it was told of.

Of the events that may come next by that, the one with the earliest time comes, and of several at one time the one whose line
joined first. So the order is a function of the logs and of where the merge stands, and of nothing else: whoever goes on from a
vector tells what would have been told without the break. Only what is appended while the merge runs has an order of arrival.

A merge says what must be read before it can go on (`step`), and is given it in rounds (`feed`): all of one round is read after
all of the rounds before, so that what a later round finds missing was not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import ChildFailed, ChildInitiated, Event, WorkflowCompleted
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import LogCorrupted
from flowstrand.streams.consolidated.gates import Gate, Gates, Why
from flowstrand.streams.consolidated.line import Line, Origin
from flowstrand.streams.consolidated.vector import Place, places_of

MAX_OPEN = 100
"""Descendants that may be open at a time."""


class TooManyOpen(Exception):
    """More descendants are open than a merge goes through at a time, and none of them comes to its end."""


@dataclass(frozen=True, slots=True)
class Next:
    """`event` of `line` comes next; `Merge.tell` it."""

    line: Line
    event: Event


@dataclass(frozen=True, slots=True)
class Wanted:
    """These lines must be read, in one round."""

    lines: tuple[Line, ...]


Step: TypeAlias = Next | Wanted | None
"""None: nothing follows for now."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a line's log behind its position.

    Attributes:
        events: the next ones.
        is_end: whether there were no others behind them.
        is_void: whether nothing of the log is part of the tree.
    """

    line: Line
    events: Sequence[Event] = ()
    is_end: bool = True
    is_void: bool = False


class Merge:
    """Where a stream of a tree stands.

    Attributes:
        lines: those that have not ended, by their numbers; at the end there is none.
    """

    def __init__(self, lines: Iterable[Line], *, max_open: int = MAX_OPEN) -> None:
        self.lines = {line.number: line for line in lines}
        self._gates = Gates(self.lines, max_open)
        self._numbers = max(self.lines, default=-1) + 1
        self._round = 0
        self._full_since: int | None = None
        self._next: Line | None = None

    @classmethod
    def of_root(cls, execution: ExecutionId, *, max_open: int = MAX_OPEN) -> Merge:
        """The merge of an execution's tree, from its beginning."""
        return cls([Line(number=0, first=execution)], max_open=max_open)

    @property
    def is_over(self) -> bool:
        """Whether everything has been told, and nothing can follow."""
        return not self.lines

    @property
    def places(self) -> tuple[Place, ...]:
        """The vector that this merge stands at."""
        return places_of(self.lines.values())

    def feed(self, readings: Iterable[Reading]) -> None:
        """Take what one round has read."""
        self._round += 1
        for reading in readings:
            line = reading.line
            line.buffer.extend(reading.events)
            line.read_at = self._round
            line.ended_at = self._round if reading.is_end else None
            line.is_void = reading.is_void

    def look_again(self, lines: Iterable[Line]) -> None:
        """Something may have been appended to these lines since they were read."""
        for line in lines:
            line.ended_at = None

    def drop(self, line: Line) -> None:
        """Nothing of this line is part of the tree, or is kept any more."""
        del self.lines[line.number]
        self._gates.forget(line)

    def step(self) -> Step:
        """What comes next, or what must be read first.

        Raises:
            TooManyOpen: a child would be one too many, and no open descendant goes on.
            LogCorrupted: a log says that a child has ended, whose own log does not.
        """
        gates = {line: gate for line in self.lines.values() if line.buffer and (gate := self._gates.of(line))}
        if self._resolve(gates):
            return self.step()
        free = (line for line in self.lines.values() if line.is_void or (line.buffer and line not in gates))
        ready = min(free, key=_by_key, default=None)
        wanted = [line for line in self.lines.values() if line.is_unknown and _is_before(line.bound, ready)]
        wanted += [
            gate.line
            for line, gate in gates.items()
            if gate.why is not Why.ROOM
            and not (gate.line.buffer or gate.line.is_void)
            and _is_before(line.key, ready)
        ]
        if wanted:
            return Wanted(tuple(dict.fromkeys(wanted)))
        if ready is None:
            return self._stuck(gates)
        if ready.is_void:
            self.drop(ready)
            return self.step()
        return self._chosen(ready)

    def tell(self) -> None:
        """The event that `step` has chosen has been told."""
        line, self._next = self._next, None
        assert line is not None, "no step has chosen an event"
        self._full_since = None
        event = line.take()
        match event.data:
            case ChildInitiated() as asked:
                self._join(line, event, asked)
            case ChildFailed(position=position, failure_type=FailureType.ALREADY_EXISTS):
                self._drop_child(line, position)
            case WorkflowCompleted(continued_as=str(successor)):
                line.continue_as(ExecutionId(successor))
            case _ if event.is_terminal:
                self.drop(line)
            case _:
                pass

    def _chosen(self, line: Line) -> Next:
        self._next = line
        return Next(line, line.buffer[0])

    def _resolve(self, gates: dict[Line, Gate]) -> bool:
        """Whether a line was dropped of which others say what it does not.

        What an event waits for was there before it, so whoever reads after it finds it; unless it has expired, and all that
        is left of it is what its parent says.
        """
        for line, gate in gates.items():
            if gate.why is not Why.CHILD or gate.line.is_void or not gate.line.is_quiet_since(line.read_at):
                continue
            if gate.line.position or gate.line.hops:
                raise LogCorrupted(f"{line.log} says what {gate.line.log}, at {gate.line.position}, does not")
            self.drop(gate.line)
            return True
        return False

    def _stuck(self, gates: dict[Line, Gate]) -> Step:
        """Nothing can come next, unless something waits for room, or for what itself waits for it."""
        circular = [line for line in gates if _leads_back(line, gates)]
        if circular:
            return self._chosen(min(circular, key=_by_key))
        return self._require_room() if gates else None

    def _require_room(self) -> Wanted:
        """Look once more whether an open descendant goes on."""
        if self._full_since is None:
            self._full_since = self._round
        since = self._full_since
        stale = tuple(x for x in self.lines.values() if not x.buffer and not x.is_quiet_since(since))
        if not stale:
            raise TooManyOpen
        return Wanted(stale)

    def _join(self, parent: Line, event: Event, asked: ChildInitiated) -> None:
        origin = Origin(
            parent=parent,
            hops=parent.hops,
            sequence=event.sequence,
            position=asked.position,
            at_ms=parent.bound[0],
        )
        line = Line(number=self._numbers, first=ExecutionId(asked.child_workflow_id), origin=origin)
        self._numbers += 1
        self.lines[line.number] = line
        self._gates.know(line)

    def _drop_child(self, parent: Line, position: int) -> None:
        child = self._gates.child(parent, position)
        if child is not None:
            self.drop(child)


def _by_key(line: Line) -> tuple[int, int]:
    return line.key


def _is_before(key: tuple[int, int], ready: Line | None) -> bool:
    return ready is None or key < ready.key


def _leads_back(line: Line, gates: dict[Line, Gate]) -> bool:
    """Whether the next event of `line` waits for a cause that itself waits for `line`: then it is not its cause."""
    if gates[line].why is not Why.CAUSE:
        return False
    at, seen = gates[line].line, set[Line]()
    while at in gates and at not in seen and at is not line:
        seen.add(at)
        at = gates[at].line
    return at is line
