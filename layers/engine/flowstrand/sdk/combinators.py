"""Waiting for several things at once: the part of `WorkflowContext` with `gather`, `select` and `as_completed`."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

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
    """`gather`, `select` and `as_completed`. None of them cancels anything."""

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
        _require_handles("select", handles)
        first = await any_of([handle.future for handle in handles])
        return next(handle for handle in handles if handle.future is first)

    def as_completed(self, *handles: Handle[T]) -> AsyncIterator[Handle[T]]:
        """`async for handle in ctx.as_completed(...)`: each handle once, in the order in which they settled in the log.

        Every handle that comes out is done: awaiting it gives its result, or raises how it failed, at once. Leaving the loop
        early leaves the rest going on.

        Raises:
            ForeignAwaitable: an argument is not a handle.
        """
        _require_handles("as_completed", handles)
        return _InLogOrder(handles)


class _InLogOrder(AsyncIterator[Handle[T]], Generic[T]):
    """Not an async generator: an event loop of the process would finalise one that was left early, outside of its log."""

    def __init__(self, handles: Sequence[Handle[T]]) -> None:
        self._open = {id(handle.future): handle for handle in handles}

    async def __anext__(self) -> Handle[T]:
        if not self._open:
            raise StopAsyncIteration
        first = await any_of([handle.future for handle in self._open.values()])
        return self._open.pop(id(first))


def _require_handles(method: str, handles: Sequence[object]) -> None:
    for handle in handles:
        if not isinstance(handle, Handle):
            raise ForeignAwaitable(
                f"{method} takes handles, not {type(handle).__name__}: use ctx.schedule_async(...)"
            )


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
