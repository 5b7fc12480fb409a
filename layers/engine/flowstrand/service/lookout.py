"""`Lookouts`: many who wait for the same thing have it looked for once.

Whoever comes first to a place starts the search there, and those who come after join. The search goes on for as long as anybody waits
for it; each waits for as long as it likes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from heapq import heappop, heappush
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from flowstrand.service.clock import Clock

if TYPE_CHECKING:
    import asyncio

FoundT = TypeVar("FoundT")

Search: TypeAlias = Callable[[Callable[[], int]], Awaitable[FoundT | None]]
"""Looks until it has found something, or, returning None, until the clock reads what its argument says; which may change."""


class Lookouts:
    """The searches under way in this process. Those who wait on different event loops do not share one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, _Lookout[Any]]] = (
            WeakKeyDictionary()
        )

    async def wait(
        self, place: Hashable, begin: Callable[[], Search[FoundT]], clock: Clock, *, until_ms: int
    ) -> FoundT | None:
        """What the search at `place` finds; None when the clock reads `until_ms` first.

        One who joins a search may wait longer than that, by as long as the search waits between two looks.

        Args:
            begin: makes the search, where nobody has begun one. All that do so at one place must mean the same.

        Raises: what the search raises.
        """
        here = self._here()
        lookout: _Lookout[FoundT] | None = here.get(place)
        if lookout is None:
            lookout = here[place] = _Lookout(begin(), clock, lambda: here.pop(place, None))
        return await lookout.join(until_ms)

    def _here(self) -> dict[Hashable, _Lookout[Any]]:
        with self._lock:
            return self._by_loop.setdefault(_running_loop(), {})


class _Lookout(Generic[FoundT]):
    """One search, in a task of its own, and those who wait for it, the least patient first."""

    def __init__(self, search: Search[FoundT], clock: Clock, on_end: Callable[[], object]) -> None:
        self._search = search
        self._clock = clock
        self._on_end = on_end
        self._order = count()
        self._waiting: list[tuple[int, int, asyncio.Future[FoundT | None]]] = []
        self._present = 0
        self._has_ended = False
        self._loop = _running_loop()
        self._task = self._loop.create_task(self._run())

    async def join(self, until_ms: int) -> FoundT | None:
        """Wait with the others."""
        future: asyncio.Future[FoundT | None] = self._loop.create_future()
        heappush(self._waiting, (until_ms, next(self._order), future))
        self._present += 1
        try:
            return await future
        finally:
            self._present -= 1
            if not self._present and not self._task.done():
                self._end()
                self._task.cancel()

    async def _run(self) -> None:
        """Search until nobody waits any more."""
        try:
            while self._dismiss() and (found := await self._search(self._earliest)) is None:
                pass
            self._end()
            self._tell(lambda future: future.set_result(found))
        except Exception as error:  # noqa: BLE001 - it is for those who wait, each of whom raises it
            failed = error
            self._end()
            self._tell(lambda future: future.set_exception(failed))
        finally:  # where it is cancelled, it is with its loop
            self._end()
            self._tell(lambda future: future.cancel())

    def _earliest(self) -> int:
        return self._waiting[0][0]

    def _dismiss(self) -> bool:
        """Let those go whose time has come; whether anybody stays."""
        now_ms = self._clock.now_ms()
        while self._waiting and (self._waiting[0][0] <= now_ms or self._waiting[0][2].done()):
            _, _, future = heappop(self._waiting)
            if not future.done():
                future.set_result(None)
        return bool(self._waiting)

    def _tell(self, tell: Callable[[asyncio.Future[FoundT | None]], object]) -> None:
        for _, _, future in self._waiting:
            if not future.done():
                tell(future)

    def _end(self) -> None:
        """Nobody may join any more."""
        if not self._has_ended:
            self._has_ended = True
            self._on_end()


def _running_loop() -> asyncio.AbstractEventLoop:
    from asyncio import get_running_loop  # here, because every function knows of lookouts and few wait at one

    return get_running_loop()
