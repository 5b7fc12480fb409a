"""What random workflow programs are made of, and how a seed makes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from flowstrand.engine.events import ParentClosePolicy
from flowstrand.engine.replay.commands import NO_TERMS, TaskTerms

LINGERS = "lingers"
SUCCESSORS = 2
MOST_PROGRAMS = 5
TASK_KINDS = ("ok", "ok", "ok", "big", "flaky1", "flaky2", "silent1", "doomed", "fatal")
"""How workers treat a task: `flaky2` fails twice, `silent1` is not heard of once, `doomed` never succeeds."""


@dataclass(frozen=True, slots=True)
class Task:
    """Schedule a task."""

    kind: str
    retries: int
    delay_ms: int
    terms: TaskTerms = NO_TERMS


@dataclass(frozen=True, slots=True)
class Sleep:
    """Start a timer."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class Child:
    """Start a child workflow."""

    kind: str
    timeout_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """Call `ctx.run`."""

    name: str
    fails: bool


@dataclass(frozen=True, slots=True)
class Promise:
    """Create a promise, some of them under a key that others want as well."""

    key: str | None
    timeout_ms: int


Work: TypeAlias = Task | Sleep | Child | Operation | Promise


@dataclass(frozen=True, slots=True)
class Do:
    """Start work and wait for it."""

    work: Work


@dataclass(frozen=True, slots=True)
class Later:
    """Start work and keep its handle."""

    work: Work


@dataclass(frozen=True, slots=True)
class Join:
    """Wait for the oldest handle kept."""


@dataclass(frozen=True, slots=True)
class Race:
    """Wait for the first of the handles kept, newest first; some may have settled long ago."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel what the newest handle stands for, and keep the handle."""


@dataclass(frozen=True, slots=True)
class Gather:
    """Start all, wait for all."""

    works: tuple[Work, ...]
    settled: bool


@dataclass(frozen=True, slots=True)
class Select:
    """Start all, wait for the first."""

    works: tuple[Work, ...]
    cancels_losers: bool


@dataclass(frozen=True, slots=True)
class Guard:
    """`try: body / except BaseException: handler / finally: last`, with waits in all of them."""

    body: Steps
    handler: Steps
    last: Steps


@dataclass(frozen=True, slots=True)
class Choose:
    """Go one way or the other, by what has come out so far."""

    even: Steps
    odd: Steps


@dataclass(frozen=True, slots=True)
class Branches:
    """Run all side by side."""

    branches: tuple[Steps, ...]
    settled: bool


@dataclass(frozen=True, slots=True)
class Leave:
    """Start a child and forget it: what becomes of it at the end is up to its policy."""

    kind: str
    policy: ParentClosePolicy


@dataclass(frozen=True, slots=True)
class Linger:
    """Wait for what never comes: only a cancellation ends it."""


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait for the next signal."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Go on as another execution, twice at most."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Raise."""


Step: TypeAlias = (
    Do
    | Later
    | Join
    | Race
    | Cancel
    | Gather
    | Select
    | Guard
    | Choose
    | Branches
    | Leave
    | Linger
    | Hear
    | Continue
    | Fail
)
Steps: TypeAlias = tuple[Step, ...]


@dataclass(slots=True)
class Book:
    """Every program of one world, by kind; the first is what clients start."""

    programs: dict[str, Steps] = field(default_factory=dict)


class Author:
    """Writes programs. `size` bounds how many steps one has, children not counted."""

    def __init__(self, random: Random, *, size: int, branches: bool) -> None:
        self._random = random
        self._size = size
        self._branches = branches
        self.book = Book()

    def write(self, depth: int = 2) -> str:
        """Add a program; returns its kind."""
        kind = f"w{len(self.book.programs)}"
        self.book.programs[kind] = ()
        steps = self._steps(self._random.randint(1, self._size), depth)
        self.book.programs[kind] = (*steps, Continue()) if self._random.random() < 0.1 else steps
        return kind

    def _steps(self, count: int, depth: int) -> Steps:
        return tuple(self._step(depth) for _ in range(count))

    def _step(self, depth: int) -> Step:
        random = self._random
        choice = random.random()
        if choice < 0.3:
            return Do(self._work(depth))
        if choice < 0.42:
            return Later(self._work(depth))
        if choice < 0.5:
            return Join() if random.random() < 0.6 else self._late_race(depth)
        if choice < 0.53:
            return Cancel()
        if choice < 0.55:
            return Hear()
        if choice < 0.65:
            return Gather(self._works(depth), random.random() < 0.5)
        if choice < 0.75:
            return Select(self._works(depth), random.random() < 0.6)
        if choice < 0.88:
            return Guard(*(self._steps(random.randint(0, 2), depth) for _ in range(3)))
        if choice < 0.92:
            return Choose(self._steps(1, depth), self._steps(1, depth))
        if choice < 0.97 and self._branches:
            return Branches(tuple(self._steps(2, depth) for _ in range(2)), random.random() < 0.7)
        if choice < 0.985:
            return self._leave(depth)
        return Fail()

    def _leave(self, depth: int) -> Step:
        """A child that goes on after its parent comes to an end by itself; one that does not may never do."""
        policy = self._random.choice(tuple(ParentClosePolicy))
        if policy is not ParentClosePolicy.ABANDON:
            self.book.programs[LINGERS] = (Linger(),)
            return Leave(LINGERS, policy)
        if depth and len(self.book.programs) < MOST_PROGRAMS:
            return Leave(self.write(depth - 1), policy)
        return Do(self._work(depth))

    def _late_race(self, depth: int) -> Step:
        """A race that may well be over before anybody asks who has won."""
        laters = tuple(Later(self._work(depth)) for _ in range(2))
        return Guard((*laters, Do(Sleep(self._random.choice((1, 40_000)))), Race()), (), ())

    def _works(self, depth: int) -> tuple[Work, ...]:
        count = self._random.randint(1, 4) if self._random.random() < 0.95 else 12
        return tuple(self._work(depth) for _ in range(count))

    def _terms(self) -> TaskTerms:
        """Workers take up to 70 s, and leases last 60."""
        return TaskTerms(
            timeout_ms=self._mostly_none(400, 20_000, 100_000),
            start_to_close_ms=self._mostly_none(25_000, 65_000),
            heartbeat_timeout_ms=self._mostly_none(12_000),
            priority=self._mostly_none(-1, 7),
        )

    def _mostly_none(self, *values: int) -> int | None:
        return self._random.choice((*values, *(None,) * (6 * len(values))))

    def _work(self, depth: int) -> Work:
        random = self._random
        choice = random.random()
        if choice < 0.55:
            delay_ms = random.choice((10, 500, 500, 5_000, 1_200_000))
            return Task(random.choice(TASK_KINDS), random.randint(0, 3), delay_ms, self._terms())
        if choice < 0.75:
            return Sleep(random.choice((0, 1, 700, 40_000, 3_600_000)))
        if choice < 0.87 and depth and len(self.book.programs) < MOST_PROGRAMS:
            return Child(self.write(depth - 1), self._mostly_none(5_000, 100_000))
        if choice < 0.93:
            key = random.choice((None, None, "k", "l"))
            return Promise(key, random.choice((1_000, 90_000, 2_000_000)))
        return Operation(random.choice(("price", "stock")), random.random() < 0.2)
