"""Cancellation as workflow code sees it: raised once, at a wait that is not shielded."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from flowstrand.sdk.context_base import ContextBase
from flowstrand.sdk.handles import Handle

T = TypeVar("T")


class Cancellation(ContextBase):
    """`is_cancellation_requested`, `check_cancellation` and `shield`."""

    @property
    def is_cancellation_requested(self) -> bool:
        """Whether this execution has been asked to end."""
        return self._driver.is_cancel_requested

    def check_cancellation(self) -> None:
        """Raise the cancellation here rather than at the next wait, if there is one.

        Raises:
            WorkflowCancelled: this execution has been asked to end.
        """
        self._driver.check_cancellation()

    def shield(self, awaitable: Awaitable[T]) -> Handle[T]:
        """Keep a cancellation out: from a coroutine, and from whoever awaits the handle, until it has ended.

        The cancellation is raised at the next wait that is not shielded. In a `gather` or `select` beside handles that are
        not shielded, the wait is not either.

        Raises:
            ForeignAwaitable: it is neither a handle nor a coroutine of workflow code.
        """
        handle = self._as_handle(awaitable, "shield", is_shielded=True)
        # Some handles are of branches that have begun: a function that is tried again.
        self._driver.shield(handle.future)
        return handle.shielded()
