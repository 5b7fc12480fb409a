"""`Wait`: what workflow code yields to the driver instead of raising anything (law 6)."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Sequence
from enum import Enum
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
    """

    __slots__ = ("_remaining", "futures", "is_over", "mode")

    def __init__(self, futures: Sequence[Future], mode: Mode) -> None:
        self.futures = futures
        self.mode = mode
        open_futures = {id(future): future for future in futures if not future.is_done}
        self._remaining = len(open_futures)
        failed = any(future.failure is not None for future in futures)
        self.is_over = (
            self._remaining == 0
            or (mode is Mode.ALL and failed)
            or (mode is Mode.ANY and any(future.is_done for future in futures))
        )
        if not self.is_over:
            for future in open_futures.values():
                future.waits.append(self)

    def note(self, future: Future) -> bool:
        """Count one settled future; true when that ends the wait."""
        if self.is_over:
            return False
        self._remaining -= 1
        failed_early = self.mode is Mode.ALL and future.failure is not None
        self.is_over = self._remaining == 0 or self.mode is Mode.ANY or failed_early
        return self.is_over

    def groups(self) -> list[WaitGroup]:
        """How `WORKFLOW_SUSPENDED` records it. Branches among its futures record their own waits."""
        positions = [f.position for f in self.futures if not f.is_done and f.position is not None]
        if self.mode is Mode.ANY:
            return [WaitGroup.of(frozenset({position})) for position in positions]
        settled = self.mode is Mode.ALL_SETTLED
        return [WaitGroup.of(frozenset(positions), settled=settled)] if positions else []


class _Suspension(Awaitable[None]):
    """Yields its wait until it is over."""

    __slots__ = ("_futures", "_mode")

    def __init__(self, futures: Sequence[Future], mode: Mode) -> None:
        self._futures = futures
        self._mode = mode

    def __await__(self) -> Generator[Any, None, None]:
        wait = Wait(self._futures, self._mode)
        while not wait.is_over:
            yield wait


def all_of(futures: Sequence[Future], settled: bool = False) -> Awaitable[None]:
    """Wait until every future has settled or, unless `settled`, until one has failed."""
    return _Suspension(futures, Mode.ALL_SETTLED if settled else Mode.ALL)


async def any_of(futures: Sequence[Future]) -> Future:
    """Wait until one future has settled; returns the one that settled earliest in the log.

    Raises:
        ValueError: `futures` is empty.
    """
    if not futures:
        raise ValueError("select needs at least one handle")
    await _Suspension(futures, Mode.ANY)
    return min((future for future in futures if future.is_done), key=lambda future: future.order)
