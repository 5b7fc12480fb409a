"""What the parts of `WorkflowContext` share: the driver, and the rule that only workflow code may use it."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from flowstrand.errors import DeadContext

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver

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
