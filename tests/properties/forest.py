"""`Forest`: a tree of logs that grows by chance, as engines would let it grow, with what caused what noted beside it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from flowstrand.engine.events import (
    CancellationRequested,
    ChildCancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    ErrorInfo,
    Event,
    EventData,
    ParentRef,
    StateSet,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStarted,
)
from flowstrand.engine.events.vocabulary import WorkflowStatus
from flowstrand.engine.ids import CHILD, ExecutionId, operation_id, successor_id

At: TypeAlias = tuple[ExecutionId, int]
"""An event: its log, and where it is there."""

ROOT = ExecutionId("R")
STRANGER = ExecutionId("S")
_ERROR = ErrorInfo(type="E", message="no")


@dataclass(eq=False)
class Child:
    """A child as its parent's log knows it."""

    parent: ExecutionId
    position: int
    id: ExecutionId
    asked: At
    has_begun: bool = False
    is_refused: bool = False
    is_said_to_have_begun: bool = False
    ended: At | None = None
    is_told: bool = False
    cancel_asked: At | None = None
    is_cancel_passed_on: bool = False
    hops: int = 0
    """How often it has continued."""
    has_successor_to_begin: bool = False


@dataclass
class Forest:
    """Grows by `grow`.

    Attributes:
        logs: every log, the stranger's too.
        order: every event of the tree, in the order in which they happened.
        causes: pairs of events, a cause and what must not come before it.
    """

    dice: random.Random
    is_skewed: bool = True
    logs: dict[ExecutionId, list[Event]] = field(default_factory=dict)
    order: list[At] = field(default_factory=list)
    causes: list[tuple[At, At]] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    closed: set[ExecutionId] = field(default_factory=set)
    most_open: int = 0
    _now: int = 1_000
    _skew: dict[ExecutionId, int] = field(default_factory=dict)
    _positions: dict[ExecutionId, int] = field(default_factory=dict)
    _root_hops: int = 0
    _root_to_begin: At | None = None

    def __post_init__(self) -> None:
        self.logs[STRANGER] = [Event(sequence=1, timestamp_ms=0, data=_started(STRANGER, None))]
        self._append(ROOT, _started(ROOT, None))

    @property
    def is_over(self) -> bool:
        """Whether nothing more can happen that is part of the tree."""
        to_begin = (
            child.has_successor_to_begin or not (child.has_begun or child.id in self.logs)
            for child in self.children
        )
        is_open = any(log not in self.closed for log in self.logs if log != STRANGER)
        return not is_open and self._root_to_begin is None and not any(to_begin)

    # --- growing --------------------------------------------------------------------------------

    def grow(self, steps: int) -> None:
        """Let so many things happen."""
        for _ in range(steps):
            moves = self._moves()
            if not moves:
                return
            self.dice.choice(moves)()
            self.most_open = max(self.most_open, sum(c.ended is None and not c.is_refused for c in self.children))

    def finish(self) -> None:
        """Let everything come to its end."""
        while moves := self._moves(is_ending=True):
            self.dice.choice(moves)()

    def _moves(self, *, is_ending: bool = False) -> list[Callable[[], None]]:
        moves: list[Callable[[], None]] = []
        for log in self.logs:
            if log == STRANGER or log in self.closed:
                continue
            moves.append(partial(self._end, log, may_continue=not is_ending))
            if not is_ending:
                moves += [partial(self._note, log)] * 3 + [partial(self._ask, log)] * 2
        for child in self.children:
            moves += self._moves_of(child, is_ending)
        if self._root_to_begin is not None:
            moves.append(self._begin_root)
        return moves

    def _moves_of(self, child: Child, is_ending: bool) -> list[Callable[[], None]]:
        moves: list[Callable[[], None]] = []
        parent_open = child.parent not in self.closed
        if not child.has_begun and not child.is_refused:
            moves.append(lambda: self._begin(child))
        if child.has_begun and not child.is_said_to_have_begun and parent_open:
            moves.append(lambda: self._say_begun(child))
        if child.has_successor_to_begin:
            moves.append(lambda: self._succeed(child))
        if child.ended is not None and not child.is_told and parent_open:
            moves.append(lambda: self._tell(child))
        if child.ended is None and child.cancel_asked is None and parent_open and not child.is_refused:
            if not is_ending:
                moves.append(lambda: self._ask_to_cancel(child))
        if child.cancel_asked is not None and self._can_hear(child) and not child.is_cancel_passed_on:
            moves.append(lambda: self._pass_on(child))
        return moves

    def _can_hear(self, child: Child) -> bool:
        log = successor_id(child.id, child.hops)
        return child.has_begun and not child.has_successor_to_begin and log not in self.closed

    # --- what happens ---------------------------------------------------------------------------

    def _note(self, log: ExecutionId) -> None:
        self._append(log, StateSet(position=0, key="k", value=len(self.logs[log])))

    def _ask(self, log: ExecutionId) -> None:
        position = self._positions[log] = self._positions.get(log, 0) + 1
        id = operation_id(log, CHILD, position)
        draw = self.dice.random()
        if draw < 0.3:
            id = f"chosen-{len(self.children)}"
        elif draw < 0.45:
            id = self.dice.choice([STRANGER, ROOT, *(c.id for c in self.children)])
        common: dict[str, Any] = {"child_workflow_id": id, "position": position, "name": "n", "kind": "k"}
        at = self._append(log, ChildInitiated(**common, status=WorkflowStatus.PENDING, input=None, queue="q"))
        self.children.append(Child(parent=log, position=position, id=ExecutionId(id), asked=at))

    def _begin(self, child: Child) -> None:
        if child.id in self.logs:
            child.is_refused = True
            if child.parent not in self.closed:
                self._append(
                    child.parent,
                    ChildFailed(
                        **_of(child), status=WorkflowStatus.FAILED, error=_ERROR, failure_type="ALREADY_EXISTS"
                    ),
                )
            return
        child.has_begun = True
        self._cause(child.asked, self._append(child.id, _started(child.id, child)))

    def _say_begun(self, child: Child) -> None:
        child.is_said_to_have_begun = True
        at = self._append(child.parent, ChildStarted(**_of(child), status=WorkflowStatus.RUNNING))
        self._cause((child.id, 1), at)

    def _end(self, log: ExecutionId, *, may_continue: bool) -> None:
        child = next((c for c in self.children if c.has_begun and successor_id(c.id, c.hops) == log), None)
        common: dict[str, Any] = {"workflow_execution_id": log, "kind": "k", "horizon": 0}
        goes_on = may_continue and self.dice.random() < 0.25
        data: EventData
        match self.dice.randrange(3):
            case _ if goes_on:
                data = WorkflowCompleted(
                    **common, status=WorkflowStatus.COMPLETED, output=None, continued_as=successor_id(log)
                )
            case 0:
                data = WorkflowCompleted(**common, status=WorkflowStatus.COMPLETED, output=None)
            case 1:
                data = WorkflowFailed(**common, status=WorkflowStatus.FAILED, error=_ERROR, failure_type="ERROR")
            case _:
                data = WorkflowCancelled(**common, status=WorkflowStatus.CANCELLED)
        at = self._append(log, data)
        self.closed.add(log)
        if child is not None and goes_on:
            child.has_successor_to_begin = True
        elif child is not None:
            child.ended = at
        elif goes_on:
            self._root_to_begin = at

    def _succeed(self, child: Child) -> None:
        before = successor_id(child.id, child.hops)
        child.hops += 1
        child.has_successor_to_begin = False
        log = successor_id(child.id, child.hops)
        end = (before, len(self.logs[before]))
        self._cause(end, self._append(log, _started(log, child, before)))

    def _begin_root(self) -> None:
        assert self._root_to_begin is not None
        end, self._root_to_begin = self._root_to_begin, None
        log = successor_id(end[0])
        self._cause(end, self._append(log, _started(log, None, end[0])))

    def _tell(self, child: Child) -> None:
        assert child.ended is not None
        if not child.is_said_to_have_begun:
            self._say_begun(child)
        child.is_told = True
        data = self.logs[child.ended[0]][-1].data
        if isinstance(data, WorkflowCompleted):
            told: EventData = ChildCompleted(**_of(child), status=WorkflowStatus.COMPLETED, output=None)
        else:
            told = ChildFailed(**_of(child), status=WorkflowStatus.FAILED, error=_ERROR, failure_type="ERROR")
        self._cause(child.ended, self._append(child.parent, told))

    def _ask_to_cancel(self, child: Child) -> None:
        child.cancel_asked = self._append(
            child.parent, ChildCancellationRequested(**_of(child), status=WorkflowStatus.CANCELLING)
        )

    def _pass_on(self, child: Child) -> None:
        assert child.cancel_asked is not None
        child.is_cancel_passed_on = True
        sequence, is_real = child.cancel_asked[1], True
        if self.dice.random() < 0.3:  # somebody else asks first, and calls it what it is not
            sequence, is_real = self.dice.randrange(1, 60), False
        request = f"{child.parent}/{child.position}/{sequence}"
        at = self._append(successor_id(child.id, child.hops), CancellationRequested(request_id=request))
        if is_real:
            self._cause(child.cancel_asked, at)

    # --- logs -----------------------------------------------------------------------------------

    def _append(self, log: ExecutionId, data: EventData) -> At:
        assert log not in self.closed
        events = self.logs.setdefault(log, [])
        self._now += self.dice.choice([0, 0, 1, 5]) if self.is_skewed else 1
        skew = self._skew.setdefault(log, self.dice.choice([0, 0, -3, 4]) if self.is_skewed else 0)
        stamp = max(self._now + skew, events[-1].timestamp_ms if events else 0)
        events.append(Event(sequence=len(events) + 1, timestamp_ms=stamp, data=data))
        self.order.append((log, len(events)))
        return log, len(events)

    def _cause(self, cause: At, consequence: At) -> None:
        self.causes.append((cause, consequence))


def _of(child: Child) -> dict[str, Any]:
    return {"child_workflow_id": child.id, "position": child.position, "name": "n", "kind": "k"}


def _started(id: ExecutionId, child: Child | None, before: ExecutionId | None = None) -> WorkflowStarted:
    return WorkflowStarted(
        workflow_execution_id=id,
        kind="k",
        status=WorkflowStatus.PENDING,
        input=None,
        queue="q",
        parent=ParentRef(workflow_execution_id=child.parent, position=child.position) if child else None,
        continued_from=before,
    )
