"""`Wait`: what workflow code yields to the driver instead of raising anything (law 6)."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Iterable, Sequence
from enum import Enum
from heapq import heappop, heappush
from typing import Any

from flowstrand.engine.events import WaitGroup
from flowstrand.engine.replay.futures import Future


class Mode(Enum):
    """When a wait is over."""

    ANY = "any"
    """One future has settled."""
    ALL = "all"
    """Every future has settled, or one has failed."""
    ALL_SETTLED = "all settled"
    """Every future has settled, failed or not."""


class Wait:
    """One suspension of one branch, counted down as its futures settle.

    Attributes:
        is_over: whether the branch may go on.
        is_shielded: whether a cancellation has to wait until it is over.
    """

    __slots__ = ("_remaining", "futures", "is_over", "is_shielded", "mode")

    def __init__(self, futures: Sequence[Future], mode: Mode, *, is_shielded: bool = False) -> None:
        self.futures = futures
        self.mode = mode
        self.is_shielded = is_shielded
        failed = any(future.failure is not None for future in futures)
        for future in _to_prepare(futures, mode, failed):
            future.prepare()
        open_futures = {id(future): future for future in futures if not future.is_done}
        self._remaining = len(open_futures)
        self.is_over = (
            self._remaining == 0
            or (mode is Mode.ALL and failed)
            or (mode is Mode.ANY and any(future.is_done for future in futures))
        )
        if not self.is_over:
            for future in open_futures.values():
                future.attach(self)

    @property
    def is_live(self) -> bool:
        """Whether a branch is suspended on it."""
        return not self.is_over

    def note(self, future: Future) -> Wait | None:
        """Count one settled future; returns itself when that ends the wait."""
        if self.is_over:
            return None
        self._remaining -= 1
        failed_early = self.mode is Mode.ALL and future.failure is not None
        self.is_over = self._remaining == 0 or self.mode is Mode.ANY or failed_early
        if not self.is_over:
            return None
        self._detach()
        return self

    def abandon(self) -> None:
        """The branch goes on for another reason."""
        if not self.is_over:
            self.is_over = True
            self._detach()

    def _detach(self) -> None:
        for future in {id(future): future for future in self.futures if not future.is_done}.values():
            future.detach(self)

    def groups(self) -> list[WaitGroup]:
        """How `WORKFLOW_SUSPENDED` records it. Branches among its futures record their own waits."""
        positions, signals = _recorded(self.futures)
        if self.mode is Mode.ANY:
            shielded = self.is_shielded
            alone = [WaitGroup.of(frozenset({position}), shielded=shielded) for position in positions]
            return alone + [WaitGroup.of(frozenset(), signals=(name,), shielded=shielded) for name in signals]
        if not positions and not signals:
            return []
        settled = self.mode is Mode.ALL_SETTLED
        return [WaitGroup.of(frozenset(positions), settled=settled, signals=signals, shielded=self.is_shielded)]


def _to_prepare(futures: Sequence[Future], mode: Mode, failed: bool) -> Iterable[Future]:
    if mode is Mode.ANY:
        return _earliest(futures)
    return () if failed and mode is Mode.ALL else futures


def _earliest(futures: Iterable[Future]) -> list[Future]:
    """The one that settled, or would settle, first. It alone takes a signal: one that lost leaves its signal to others."""
    coming = [future for future in futures if future.comes_at]
    return [min(coming, key=lambda future: future.comes_at)] if coming else []


def _recorded(futures: Iterable[Future]) -> tuple[list[int], tuple[str, ...]]:
    """Positions, and names of signals, of those that are open: what an event can settle."""
    still_open = list({id(future): future for future in futures if not future.is_done}.values())
    positions = [future.position for future in still_open if future.position is not None]
    return positions, tuple(future.signal for future in still_open if future.signal is not None)


class _Suspension(Awaitable[None]):
    """Yields its wait until it is over."""

    __slots__ = ("_futures", "_is_shielded", "_mode")

    def __init__(self, futures: Sequence[Future], mode: Mode, *, is_shielded: bool = False) -> None:
        self._futures = futures
        self._mode = mode
        self._is_shielded = is_shielded

    def __await__(self) -> Generator[Any, None, None]:
        wait = Wait(self._futures, self._mode, is_shielded=self._is_shielded)
        while not wait.is_over:
            yield wait


def all_of(futures: Sequence[Future], settled: bool = False, *, is_shielded: bool = False) -> Awaitable[None]:
    """Wait until every future has settled or, unless `settled`, until one has failed."""
    return _Suspension(futures, Mode.ALL_SETTLED if settled else Mode.ALL, is_shielded=is_shielded)


async def any_of(futures: Sequence[Future], *, is_shielded: bool = False) -> Future:
    """Wait until one future has settled; returns the one that settled earliest in the log.

    Raises:
        ValueError: `futures` is empty.
    """
    if not futures:
        raise ValueError("select needs at least one handle")
    await _Suspension(futures, Mode.ANY, is_shielded=is_shielded)
    return min((future for future in futures if future.is_done), key=lambda future: future.order)


class Completions:
    """Futures in the order in which they settle. Each is looked at once, however many there are."""

    def __init__(self, futures: Iterable[Future] = ()) -> None:
        self._open: dict[int, Future] = {}
        self._signals: dict[int, Future] = {}
        self._settled: list[tuple[int, Future]] = []
        self._wait: _CompletionWait | None = None
        for future in {id(future): future for future in futures}.values():
            self.add(future)

    def __bool__(self) -> bool:
        return bool(self._open or self._settled)

    def add(self, future: Future) -> None:
        """Expect one more."""
        if future.is_done:
            heappush(self._settled, (future.order, future))
            return
        self._open[id(future)] = future
        if future.signal is not None:
            self._signals[id(future)] = future
        future.attach(self)

    @property
    def is_live(self) -> bool:
        """Whether a branch is suspended on it."""
        return self._wait is not None and not self._wait.is_over

    @property
    def open(self) -> list[Future]:
        """Those that have not settled."""
        return list(self._open.values())

    def note(self, future: Future) -> Wait | None:
        """Take the next one; returns the wait that this ends."""
        del self._open[id(future)]
        self._signals.pop(id(future), None)
        heappush(self._settled, (future.order, future))
        if self._wait is None or self._wait.is_over:
            return None
        self._wait.is_over = True
        return self._wait

    async def next(self) -> Future:
        """Wait for the next one. There must be one: see `bool(self)`."""
        await _NextCompletion(self)
        return heappop(self._settled)[1]

    def suspend(self) -> Wait | None:
        """What a branch that needs the next one waits on; None if there is one already."""
        for signal in _earliest(self._signals.values()):
            if not self._settled or signal.comes_at < self._settled[0][0]:
                signal.prepare()
        if self._settled:
            return None
        self._wait = _CompletionWait(self.open)
        for signal in self._signals.values():
            signal.detach(self)
            signal.attach(self)  # back in line, now that somebody waits
        return self._wait


class _CompletionWait(Wait):
    """A wait for any of many, recorded as one group."""

    __slots__ = ()

    def __init__(self, futures: Sequence[Future]) -> None:
        super().__init__((), Mode.ANY)
        self.futures = futures
        self.is_over = False

    def _detach(self) -> None:
        """Its futures know the completions, not this."""

    def groups(self) -> list[WaitGroup]:
        positions, signals = _recorded(self.futures)
        if not positions and not signals:
            return []
        return [WaitGroup.of(frozenset(positions), signals=signals, shielded=self.is_shielded, any_of=True)]


class _NextCompletion(Awaitable[None]):
    __slots__ = ("_completions",)

    def __init__(self, completions: Completions) -> None:
        self._completions = completions

    def __await__(self) -> Generator[Any, None, None]:
        while (wait := self._completions.suspend()) is not None:
            while not wait.is_over:
                yield wait
