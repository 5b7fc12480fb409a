"""Waiting for several things at once: the part of `WorkflowContext` with `gather`, `select` and `as_completed`."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any, Generic, Literal, TypeVar, overload

from flowstrand.engine.replay.waits import Completions, all_of, any_of
from flowstrand.errors import ForeignAwaitable, TimedOut
from flowstrand.sdk.context_base import ContextBase
from flowstrand.sdk.duration import Duration, to_ms
from flowstrand.sdk.handles import Handle

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")


class Combinators(ContextBase):
    """`gather`, `select`, `as_completed` and `with_timeout`. Only the last cancels anything."""

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
        _refuse_foreign(awaitables)
        handles = [self._as_handle(awaitable, "gather") for awaitable in awaitables]
        futures = [handle.future for handle in handles]
        is_shielded = all(handle.is_shielded for handle in handles)
        await all_of(futures, settled=return_exceptions, is_shielded=is_shielded)
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
        is_shielded = all(handle.is_shielded for handle in handles)
        first = await any_of([handle.future for handle in handles], is_shielded=is_shielded)
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

    async def with_timeout(self, awaitable: Awaitable[T], duration: Duration) -> T:
        """Wait for `awaitable`, but no longer than `duration` (seconds or a timedelta) from now.

        What has not come by then is given up: a task, timer or child workflow is asked to cancel, without waiting for that; a
        coroutine has `TimedOut` raised at its wait, and is waited for until it has ended.

        Raises:
            TimedOut: it did not come in time.
            ForeignAwaitable: it is neither a handle nor a coroutine of workflow code.
            Exception: how it failed, if it did.
        """
        duration_ms = to_ms(duration, "a timeout")
        handle = self._as_handle(awaitable, "with_timeout")
        timer = self._driver.start_timer(self._driver.now_ms + duration_ms, is_timeout=True)
        try:
            first = await any_of([handle.future, timer], is_shielded=handle.is_shielded)
        finally:
            if not timer.is_done:
                self._driver.cancel(timer)
        if first is not timer:
            return await handle
        await self._give_up(handle)
        raise TimedOut(f"it took longer than {duration_ms / 1_000:g} s")

    async def _give_up(self, handle: Handle[Any]) -> None:
        if self._driver.interrupt(handle.future, lambda: TimedOut("it took longer than it may")):
            await all_of([handle.future], settled=True)
        elif not handle.future.is_done and handle.is_cancellable:
            handle.cancel()


class _InLogOrder(AsyncIterator[Handle[T]], Generic[T]):
    """Not an async generator: an event loop of the process would finalise one that was left early, outside of its log."""

    def __init__(self, handles: Sequence[Handle[T]]) -> None:
        self._handles = {id(handle.future): handle for handle in handles}
        self._completions = Completions(handle.future for handle in handles)

    async def __anext__(self) -> Handle[T]:
        if not self._completions:
            raise StopAsyncIteration
        return self._handles[id(await self._completions.next())]


def _require_handles(method: str, handles: Sequence[object]) -> None:
    for handle in handles:
        if not isinstance(handle, Handle):
            raise ForeignAwaitable(
                f"{method} takes handles, not {type(handle).__name__}: use ctx.schedule_async(...)"
            )


def _refuse_foreign(awaitables: Sequence[Awaitable[Any]]) -> None:
    """Begin no branch at all where something among them cannot be waited for."""
    foreign = [a for a in awaitables if not isinstance(a, Handle) and not inspect.iscoroutine(a)]
    if foreign:
        for awaitable in awaitables:
            if inspect.iscoroutine(awaitable):
                awaitable.close()
        raise ForeignAwaitable(f"gather takes handles and coroutines, not {type(foreign[0]).__name__}")
