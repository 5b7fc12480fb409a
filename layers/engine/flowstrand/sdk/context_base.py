"""What the parts of `WorkflowContext` share: the driver, and the rule that only workflow code may use it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast

from flowstrand.errors import DeadContext, ForeignAwaitable
from flowstrand.sdk.handles import Handle

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver

T = TypeVar("T")

inside_operation: ContextVar[bool] = ContextVar("inside_operation", default=False)
"""True while a function given to `ctx.run` executes: it runs once, off the replay, so it may ask for nothing."""


class ContextBase:
    """One execution's driver."""

    def __init__(self, driver: Driver) -> None:
        self._driver_of_execution = driver

    @property
    def _driver(self) -> Driver:
        """The driver, for a request.

        Raises:
            DeadContext: asked for by a function that `ctx.run` executes.
        """
        if inside_operation.get():
            raise DeadContext("a function given to ctx.run may not use the workflow's context: it is not replayed")
        return self._driver_of_execution

    def _as_handle(self, awaitable: Awaitable[T], method: str, *, is_shielded: bool = False) -> Handle[T]:
        """A handle as it is; a coroutine of workflow code as a new branch.

        Args:
            method: names the caller in the error.
            is_shielded: for a branch, that a cancellation does not reach it.

        Raises:
            ForeignAwaitable: it is something else.
        """
        if isinstance(awaitable, Handle):
            return awaitable
        if not inspect.iscoroutine(awaitable):
            raise ForeignAwaitable(f"{method} takes handles and coroutines, not {type(awaitable).__name__}")
        coroutine = cast("Coroutine[Any, Any, T]", awaitable)
        future = self._driver.spawn(coroutine, "branch", is_shielded=is_shielded)
        return Handle(self._driver, future, _as_it_is)


def _as_it_is(value: Any) -> Any:
    """What a branch returned never was JSON."""
    return value
