"""`Handle`: something workflow code asked for and may wait for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from flowstrand.jsonvalue import JsonValue

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver
    from flowstrand.engine.replay.futures import Future

T_co = TypeVar("T_co", covariant=True)


class Handle(Awaitable[T_co], Generic[T_co]):
    """A task, timer, promise, child workflow, signal, `ctx.run` operation or branch under way.

    What it stands for was asked for when the handle was made.
    """

    def __init__(
        self,
        driver: Driver,
        future: Future,
        decode: Callable[[JsonValue], T_co],
        *,
        is_shielded: bool = False,
    ) -> None:
        self._driver = driver
        self._future = future
        self._decode = decode
        self.is_shielded = is_shielded

    @property
    def id(self) -> str:
        """The public id of the task execution, timer, promise, child execution or operation."""
        return self._future.id

    @property
    def is_done(self) -> bool:
        """Whether its end has been delivered to this workflow: the same at this point of the code on every replay."""
        return self._future.is_done

    @property
    def is_cancellable(self) -> bool:
        """Whether it is a task, timer or child workflow, which `cancel` may be called on."""
        return self._driver.is_cancellable(self._future)

    @property
    def future(self) -> Future:
        """The engine's side of it."""
        return self._future

    async def result(self) -> T_co:
        """Wait for the end; the same as awaiting the handle. May be called again.

        Raises:
            TaskFailed, TaskCancelled, TimerCancelled, ChildWorkflowFailed, OperationFailed, PromiseRejected, TimedOut:
                it did not succeed.
            NotSerializable: what it returned does not fit the declared type.
        """
        return await self

    def outcome(self) -> T_co | BaseException:
        """The value, or the failure as a value, of a handle that is done."""
        failure = self._future.failure
        return failure if failure is not None else self._decode(self._future.value)

    def cancel(self, reason: str | None = None) -> None:
        """Ask for a task, timer or child workflow to be cancelled.

        Settles nothing: awaiting the handle tells how it really ended.

        Args:
            reason: what a child workflow is told.

        Raises:
            ValueError: it is something else.
        """
        self._driver.cancel(self._future, reason)

    def shielded(self) -> Handle[T_co]:
        """The same, for awaiting it without being interrupted by a cancellation: see `ctx.shield`."""
        return Handle(self._driver, self._future, self._decode, is_shielded=True)

    def __await__(self) -> Generator[Any, None, T_co]:
        value = yield from self._future.wait(is_shielded=self.is_shielded)
        return self._decode(value)

    def __repr__(self) -> str:
        return f"<Handle {self.id} {'done' if self.is_done else 'open'}>"
