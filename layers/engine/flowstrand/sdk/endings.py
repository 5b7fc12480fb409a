"""How an execution ends: clean-up, compensation, and going on as another execution."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, NoReturn, ParamSpec

from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.context_base import ContextBase
from flowstrand.sdk.signature import OMITTED, Signature

P = ParamSpec("P")
_Call = Callable[[], object]


class Ending:
    """What an execution has asked for to be done when it ends."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.compensations: list[_Call] = []
        self.closers: list[_Call] = []

    async def around(self, body: Coroutine[Any, Any, JsonValue]) -> JsonValue:
        """Run `body`; where it fails or is cancelled, the compensations, newest first; and at every end the closers.

        Each is shielded from cancellation. One that fails does not keep the others from running: its failure is a note
        on the body's, or, after a success, the execution's own.

        Raises:
            BaseException: what `body` raised.
        """
        try:
            output = await body
        except (GeneratorExit, KeyboardInterrupt, MemoryError):
            raise
        except BaseException as failure:
            if self._driver.is_dead:  # dropped from memory: nothing has ended
                raise
            await self._undo(failure)
            raise
        for failed in await self.close():
            raise failed
        return output

    async def close(self) -> list[BaseException]:
        """Run the closers, once; returns how those failed that did."""
        return await self._run_all(self.closers, "on_close")

    async def _undo(self, failure: BaseException) -> None:
        for failed in [
            *await self._run_all(self.compensations, "compensation"),
            *await self._run_all(self.closers, "on_close"),
        ]:
            failure.add_note(f"and then: {type(failed).__name__}: {failed}")

    async def _run_all(self, calls: list[_Call], name: str) -> list[BaseException]:
        failures: list[BaseException] = []
        while calls:
            future = self._driver.spawn(_finished(calls.pop()), name, is_shielded=True)
            await all_of([future], settled=True, is_shielded=True)
            if future.failure is not None:
                failures.append(future.failure)
        return failures


class Endings(ContextBase):
    """`on_close`, `compensate` and `continue_as_new`."""

    def __init__(self, driver: Driver, signature: Signature | None = None) -> None:
        super().__init__(driver)
        self._signature = signature
        self._ending = Ending(driver)

    @property
    def ending(self) -> Ending:
        """What is to be done when the execution ends; for whoever runs the code, not for the code."""
        return self._ending

    def on_close(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call `function(*args)`, and await what it returns if it can be awaited, when this execution really ends.

        However it ends, be it by continuing as a new one, but not where it is ended from outside without running its code
        (a forced cancellation, a timeout of the workflow). Unlike a `finally`, which also runs when a suspended coroutine is
        dropped from memory, it may use this context. The newest is called first.
        """
        self._ending.closers.append(partial(function, *args, **kwargs))

    def compensate(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call `function(*args)`, and await what it returns, if this execution fails or is cancelled: a saga.

            receipt = await ctx.schedule(charge_card, order)
            ctx.compensate(ctx.schedule, refund, receipt)

        Compensations run newest first, each shielded from cancellation, after whatever the code does in its own `except` and
        `finally` blocks. One that fails is noted in the execution's error and does not keep the others from running.
        """
        self._ending.compensations.append(partial(function, *args, **kwargs))

    async def continue_as_new(self, input: object = OMITTED) -> NoReturn:
        """End this execution, and go on as a new one of the same kind with an empty log: for workflows without end.

        Signals that nobody has taken go along; so do the queue, the metadata, the timeout and the parent, who hears of the last
        one only. Compensations are forgotten: what is still to be undone belongs in the input.

        Args:
            input: the new execution's.

        Raises:
            NotSerializable: the input does not fit this workflow.
            WorkflowCancelled: this execution has been asked to end.
        """
        encoded = self._encode(input)
        for failure in await self._ending.close():
            raise failure
        await self._driver.continue_as(encoded)
        raise AssertionError("nothing resumes an execution that has continued as another")

    def _encode(self, input: object) -> JsonValue:
        assert self._signature is not None, "only the context of a workflow's own execution can continue"
        return self._signature.encode_input(input)


async def _finished(call: _Call) -> None:
    result = call()
    if inspect.isawaitable(result):
        await result
