"""`ctx.map`: the same work on many items, with a limit on how many at once and a policy on how many must succeed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from typing import Any, Generic, TypeVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.replay.waits import Completions, all_of
from flowstrand.errors import BranchCancelled, InvalidDefinition, MapFailed
from flowstrand.sdk.combinators import Combinators
from flowstrand.sdk.handles import Handle
from flowstrand.sdk.scheduling import Scheduling
from flowstrand.sdk.task import TaskDefinition

ItemT = TypeVar("ItemT")
T = TypeVar("T")


class MapEnd(StrEnum):
    """Why a map ended."""

    ALL_ENDED = "ALL_ENDED"
    """Every item has succeeded or failed."""
    ENOUGH_SUCCEEDED = "ENOUGH_SUCCEEDED"
    """`min_successful` items have succeeded."""
    TOO_MANY_FAILED = "TOO_MANY_FAILED"
    """More items failed than may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOutcome(Generic[T]):
    """What came of each item; items are named by their places, from 0.

    Attributes:
        successes: results, in the order of the items.
        failures: what was raised, in the order of the items.
        skipped: items that had not begun or not ended when the map ended.
        reason: why it ended.
    """

    successes: dict[int, T]
    failures: dict[int, BaseException]
    skipped: tuple[int, ...]
    reason: MapEnd

    @property
    def values(self) -> list[T]:
        """The results of those that succeeded, in the order of the items."""
        return list(self.successes.values())


class Mapping(Combinators, Scheduling):
    """`map`."""

    async def map(
        self,
        items: Iterable[ItemT],
        function: Callable[[ItemT], Awaitable[T]] | TaskDefinition[ItemT, T] | str,
        *,
        max_concurrency: int | None = None,
        min_successful: int | None = None,
        tolerated_failures: int | None = None,
    ) -> MapOutcome[T]:
        """Do the same with each of `items`, and wait until the map has ended.

        It ends when every item has; when `min_successful` have succeeded; or when more have failed than may. What is still
        under way then is given up: tasks and child workflows are asked to cancel, and coroutines have `BranchCancelled`
        raised at their wait and are waited for.

        Args:
            items: what to work on; begun in this order.
            function: a task, by reference or by name, or what makes a handle or a coroutine of workflow code from an item.
            max_concurrency: how many may be under way at once; all of them by default.
            min_successful: how many successes are enough; all of the items by default.
            tolerated_failures: how many may fail; by default as many as leave `min_successful` within reach, so none without it.

        Raises:
            MapFailed: more failed than may; its `outcome` tells of every item.
            InvalidDefinition: a limit makes no sense for this many items.
        """
        run = _MapRun(list(items), self._starter(function), min_successful, tolerated_failures)
        run.check(max_concurrency)
        try:
            return await run.to_the_end(max_concurrency or len(run.items))
        finally:
            await self._abandon(run.under_way())

    def _starter(
        self, function: Callable[[ItemT], Awaitable[T]] | TaskDefinition[ItemT, T] | str
    ) -> Callable[[ItemT], Handle[T]]:
        if isinstance(function, str | TaskDefinition):
            task: Any = function
            return lambda item: self.schedule(task, item)
        return lambda item: self._as_handle(function(item), "map")

    async def _abandon(self, handles: list[Handle[Any]]) -> None:
        branches = []
        for handle in handles:
            if self._driver.interrupt(handle.future, lambda: BranchCancelled("the map has ended")):
                branches.append(handle.future)
            elif handle.is_cancellable:
                handle.cancel("the map has ended")
        if branches:
            await all_of(branches, settled=True, is_shielded=True)


class _MapRun(Generic[ItemT, T]):
    def __init__(
        self,
        items: list[ItemT],
        start: Callable[[ItemT], Handle[T]],
        min_successful: int | None,
        tolerated_failures: int | None,
    ) -> None:
        self.items = items
        self._start = start
        self._enough = len(items) if min_successful is None else min_successful
        self._tolerated = len(items) - self._enough if tolerated_failures is None else tolerated_failures
        self._has_floor = min_successful is not None
        self._begun = 0
        self._handles: dict[int, tuple[int, Handle[T]]] = {}
        self._completions = Completions()
        self._successes: dict[int, T] = {}
        self._failures: dict[int, BaseException] = {}

    def check(self, max_concurrency: int | None) -> None:
        """Refuse limits that make no sense. Raises `InvalidDefinition`."""
        if max_concurrency is not None and max_concurrency < 1:
            raise InvalidDefinition(f"max_concurrency must be at least 1, not {max_concurrency}")
        if not 0 <= self._enough <= len(self.items):
            raise InvalidDefinition(f"of {len(self.items)} items, {self._enough} cannot be min_successful")
        if self._tolerated < 0:
            raise InvalidDefinition(f"tolerated_failures must be at least 0, not {self._tolerated}")

    def under_way(self) -> list[Handle[T]]:
        """What has begun and not ended."""
        return [handle for _, handle in self._handles.values() if not handle.is_done]

    async def to_the_end(self, max_concurrency: int) -> MapOutcome[T]:
        """Begin items as others end. Raises `MapFailed`."""
        while (reason := self._reason()) is None:
            while self._begun < len(self.items) and len(self._handles) < max_concurrency:
                self._begin()
            await self._take_next()
        outcome = self._outcome(reason)
        if reason is MapEnd.TOO_MANY_FAILED:
            failed, allowed = len(self._failures), self._tolerated
            first = next(iter(outcome.failures.values()))
            message = f"{failed} of {len(self.items)} items failed, {allowed} may; the first: {first}"
            raise MapFailed(message, outcome=outcome) from first
        return outcome

    def _begin(self) -> None:
        handle = self._start(self.items[self._begun])
        self._handles[id(handle.future)] = (self._begun, handle)
        self._completions.add(handle.future)
        self._begun += 1

    async def _take_next(self) -> None:
        future = await self._completions.next()
        index, handle = self._handles.pop(id(future))
        try:
            self._successes[index] = await handle
        except Exception as failure:  # noqa: BLE001 - whatever an item raises is what came of it
            self._failures[index] = failure

    def _reason(self) -> MapEnd | None:
        if len(self._failures) > self._tolerated:
            return MapEnd.TOO_MANY_FAILED
        if len(self._successes) + len(self._failures) == len(self.items):
            return MapEnd.ALL_ENDED
        if self._has_floor and len(self._successes) >= self._enough:
            return MapEnd.ENOUGH_SUCCEEDED
        return None

    def _outcome(self, reason: MapEnd) -> MapOutcome[T]:
        ended = self._successes.keys() | self._failures.keys()
        return MapOutcome(
            successes=dict(sorted(self._successes.items())),
            failures=dict(sorted(self._failures.items())),
            skipped=tuple(index for index in range(len(self.items)) if index not in ended),
            reason=reason,
        )
