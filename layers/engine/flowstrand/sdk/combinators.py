"""Waiting for several things at once: the part of `WorkflowContext` with `gather` and `select`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from flowstrand.engine.replay.waits import all_of, any_of
from flowstrand.errors import ForeignAwaitable
from flowstrand.sdk.context_base import ContextBase
from flowstrand.sdk.handles import Handle

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")


class Combinators(ContextBase):
    """`gather` and `select`. Neither cancels anything."""

    @overload
    async def gather(
        self, first: Awaitable[T1], second: Awaitable[T2], /, *, return_exceptions: Literal[False] = False
    ) -> tuple[T1, T2]: ...
    @overload
    async def gather(
        self,
        first: Awaitable[T1],
        second: Awaitable[T2],
        third: Awaitable[T3],
        /,
        *,
        return_exceptions: Literal[False] = False,
    ) -> tuple[T1, T2, T3]: ...
    @overload
    async def gather(
        self,
        first: Awaitable[T1],
        second: Awaitable[T2],
        third: Awaitable[T3],
        fourth: Awaitable[T4],
        /,
        *,
        return_exceptions: Literal[False] = False,
    ) -> tuple[T1, T2, T3, T4]: ...
    @overload
    async def gather(
        self, *awaitables: Awaitable[T], return_exceptions: Literal[False] = False
    ) -> tuple[T, ...]: ...
    @overload
    async def gather(
        self, *awaitables: Awaitable[T], return_exceptions: bool
    ) -> tuple[T | BaseException, ...]: ...
    async def gather(self, *awaitables: Awaitable[Any], return_exceptions: bool = False) -> tuple[Any, ...]:
        """Wait for all, and return their results in argument order.

        Args:
            awaitables: handles, and coroutines of workflow code, which become concurrent branches.
            return_exceptions: wait for all even if some fail, and return the failures in their places.

        Raises:
            ForeignAwaitable: an argument is something else.
            Exception: the failure that came first in the log, as soon as it comes, unless `return_exceptions`. What has
                not settled by then goes on.
        """
        handles = _as_handles(self._driver, awaitables)
        futures = [handle.future for handle in handles]
        await all_of(futures, settled=return_exceptions)
        failed = [future for future in futures if future.failure is not None]
        if failed and not return_exceptions:
            await min(failed, key=lambda future: future.order)
        return tuple(handle.outcome() for handle in handles)

    async def select(self, *handles: Handle[T]) -> Handle[T]:
        """Wait for one, and return the handle that settled first in the log, which is the same on every replay.

        Raises:
            ValueError: no handles.
            ForeignAwaitable: an argument is not a handle.
        """
        for handle in handles:
            if not isinstance(handle, Handle):
                raise ForeignAwaitable(
                    f"select takes handles, not {type(handle).__name__}: use ctx.schedule_async(...)"
                )
        first = await any_of([handle.future for handle in handles])
        return next(handle for handle in handles if handle.future is first)


def _as_handles(driver: Driver, awaitables: Sequence[Awaitable[Any]]) -> list[Handle[Any]]:
    """Begin a branch for each coroutine, unless something among them cannot be waited for at all."""
    foreign = [a for a in awaitables if not isinstance(a, Handle) and not inspect.iscoroutine(a)]
    if foreign:
        for awaitable in awaitables:
            if inspect.iscoroutine(awaitable):
                awaitable.close()
        raise ForeignAwaitable(f"gather takes handles and coroutines, not {type(foreign[0]).__name__}")
    return [a if isinstance(a, Handle) else _branch(driver, a) for a in awaitables]


def _branch(driver: Driver, awaitable: Awaitable[Any]) -> Handle[Any]:
    assert isinstance(awaitable, Coroutine)  # checked by `_as_handles`
    return Handle(driver, driver.spawn(awaitable, "branch"), lambda value: value)
