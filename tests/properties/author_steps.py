"""What a random workflow does: trees of steps, and the strategy that grows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import strategies as st

NAMES = ("a", "b")
"""Of signals, states and operations: few, so that they meet."""


@dataclass(frozen=True)
class Task:
    """A task, which the world lets succeed or fail."""


@dataclass(frozen=True)
class Timer:
    seconds: int


@dataclass(frozen=True)
class Child:
    """A child workflow, which the world lets succeed, fail or be cancelled."""


@dataclass(frozen=True)
class Promise:
    timeout: int | None


@dataclass(frozen=True)
class Signal:
    name: str
    timeout: int | None


@dataclass(frozen=True)
class Operation:
    """A `ctx.run`, which the world lets succeed or fail."""

    name: str
    attempts: int


@dataclass(frozen=True)
class Branch:
    """A coroutine of workflow code."""

    steps: Steps


@dataclass(frozen=True)
class Shielded:
    work: Work


Work: TypeAlias = Task | Timer | Child | Promise | Signal | Operation | Branch | Shielded


@dataclass(frozen=True)
class Await:
    work: Work


@dataclass(frozen=True)
class Later:
    """Ask, and keep the handle."""

    work: Work


@dataclass(frozen=True)
class Join:
    """Await the oldest handle that is kept."""


@dataclass(frozen=True)
class Cancel:
    """Cancel the newest handle that is kept, where it can be."""


@dataclass(frozen=True)
class Gather:
    works: tuple[Work, ...]
    settled: bool


@dataclass(frozen=True)
class Select:
    works: tuple[Work, ...]


@dataclass(frozen=True)
class Completed:
    """`as_completed`, left after `most`."""

    works: tuple[Work, ...]
    most: int


@dataclass(frozen=True)
class WithTimeout:
    work: Work
    seconds: int


@dataclass(frozen=True)
class Map:
    works: tuple[Work, ...]
    at_once: int | None
    enough: int | None
    tolerated: int | None


@dataclass(frozen=True)
class Guard:
    """`try`, `except BaseException` and `finally`, with steps in each; `rethrows` says how the handler ends."""

    body: Steps
    handler: Steps
    last: Steps
    rethrows: bool


@dataclass(frozen=True)
class SetState:
    name: str


@dataclass(frozen=True)
class ClearState:
    """All of it."""


@dataclass(frozen=True)
class Look:
    """Note all that can be read without waiting."""


@dataclass(frozen=True)
class Drain:
    name: str


@dataclass(frozen=True)
class Steer:
    """Go on with work until a signal has come: an agent's loop."""

    name: str
    work: Work


@dataclass(frozen=True)
class Check:
    """`check_cancellation`."""


@dataclass(frozen=True)
class Compensate:
    steps: Steps


@dataclass(frozen=True)
class OnClose:
    steps: Steps


@dataclass(frozen=True)
class Patched:
    """Steps that the code has had from the beginning, and those that came in their place."""

    old: Steps
    new: Steps


@dataclass(frozen=True)
class Fail:
    """Raise."""


@dataclass(frozen=True)
class Continue:
    """`continue_as_new`."""


Step: TypeAlias = (
    Await
    | Later
    | Join
    | Cancel
    | Gather
    | Select
    | Completed
    | WithTimeout
    | Map
    | Guard
    | SetState
    | ClearState
    | Look
    | Drain
    | Steer
    | Check
    | Compensate
    | OnClose
    | Patched
    | Fail
    | Continue
)
Steps: TypeAlias = tuple[Step, ...]

_names = st.sampled_from(NAMES)
_seconds = st.sampled_from((0, 1, 60))
_timeouts = st.none() | _seconds
_simple: st.SearchStrategy[Work] = st.one_of(
    st.just(Task()),
    st.builds(Timer, _seconds),
    st.builds(Signal, _names, _timeouts),
    st.builds(Operation, _names, st.sampled_from((1, 2))),
    st.builds(Promise, _timeouts),
    st.just(Child()),
)


def _works(depth: int) -> st.SearchStrategy[Work]:
    if not depth:
        return _simple
    branches = st.builds(Branch, _all(depth - 1, least=1))
    return st.one_of(_simple, branches, st.builds(Shielded, _simple | branches))


def _handles(depth: int) -> st.SearchStrategy[Work]:
    """Works that are begun by asking: what `select` takes."""
    return _simple if not depth else st.one_of(_simple, st.builds(Shielded, _works(depth - 1)))


def _several(works: st.SearchStrategy[Work]) -> st.SearchStrategy[tuple[Work, ...]]:
    return st.lists(works, min_size=1, max_size=3).map(tuple)


def _step(depth: int) -> st.SearchStrategy[Step]:
    works, handles = _works(depth), _handles(depth)
    leaves: list[st.SearchStrategy[Step]] = [
        st.builds(Await, works),
        st.builds(Later, handles),
        st.just(Join()),
        st.just(Cancel()),
        st.builds(Gather, _several(works), st.booleans()),
        st.builds(Select, _several(handles)),
        st.builds(Completed, _several(handles), st.sampled_from((1, 3))),
        st.builds(WithTimeout, works, _seconds),
        st.builds(_map, _several(works), st.sampled_from((None, 1, 2)), st.none() | st.integers(0, 3), _few),
        st.builds(SetState, _names),
        st.just(ClearState()),
        st.just(Look()),
        st.builds(Drain, _names),
        st.builds(Steer, _names, handles),
        st.just(Check()),
    ]
    ends: list[st.SearchStrategy[Step]] = [st.just(Fail()), st.just(Continue())]
    if not depth:
        return st.one_of(leaves + ends)
    inner, any_steps = _all(depth - 1, least=2), _all(depth - 1)
    nodes: list[st.SearchStrategy[Step]] = [
        st.builds(Guard, inner, any_steps, any_steps, st.booleans()),
        st.builds(Guard, inner, any_steps, any_steps, st.booleans()),
        st.builds(Gather, st.lists(st.builds(Branch, inner), min_size=2, max_size=3).map(tuple), st.booleans()),
        st.builds(Compensate, inner),
        st.builds(OnClose, inner),
        st.builds(Patched, any_steps, any_steps),
    ]
    return st.one_of(leaves + nodes + nodes + nodes)


_few = st.none() | st.integers(0, 2)


def _map(works: tuple[Work, ...], at_once: int | None, enough: int | None, tolerated: int | None) -> Map:
    return Map(works, at_once, None if enough is None else min(enough, len(works)), tolerated)


def _all(depth: int, *, least: int = 0) -> st.SearchStrategy[Steps]:
    return st.lists(_step(depth), min_size=least, max_size=max(4, least * 2)).map(tuple)


programs: st.SearchStrategy[Steps] = _all(3, least=4)
"""Workflows."""
