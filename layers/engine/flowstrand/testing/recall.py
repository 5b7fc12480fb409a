"""`RecallingPrograms`: workflow code whose `ctx.run` functions were executed elsewhere, and are not executed again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Coroutine
from typing import Any, TypeAlias, cast

from flowstrand.engine.events import Event, OperationCompleted, OperationFailed
from flowstrand.engine.ids import ExecutionId, owner_of
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.ledger import OperationFunction
from flowstrand.engine.replay.program import Program
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.testing.definitions import Definitions

EventsOf: TypeAlias = Callable[[ExecutionId], Collection[Event]]


class RecallingPrograms:
    """`Programs` whose code finds the results of its functions in the logs of another world.

    Attributes:
        payloads: how its values are encoded.
    """

    def __init__(self, inner: Definitions, events_of: EventsOf) -> None:
        self.payloads = inner.payloads
        self._inner = inner
        self._events_of = events_of

    def program(self, kind: str) -> Program:
        """See `Programs.program`."""
        return _RecallingProgram(self._inner.program(kind), self.payloads, self._events_of)

    def kinds(self) -> Collection[str]:
        """See `Programs.kinds`."""
        return self._inner.kinds()

    def task_kinds(self) -> Collection[str]:
        """Every kind of task."""
        return self._inner.task_kinds()


class _RecallingProgram:
    def __init__(self, inner: Any, payloads: PayloadCodecs, events_of: EventsOf) -> None:
        self._inner = inner
        self._payloads = payloads
        self._events_of = events_of

    @property
    def kind(self) -> str:
        return str(self._inner.kind)

    @property
    def wire(self) -> Any:
        return self._inner.wire

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        recalling = _RecallingDriver(driver, self._payloads, self._events_of)
        coroutine: Coroutine[Any, None, JsonValue] = self._inner.begin(cast(Driver, recalling), input)
        return coroutine


class _RecallingDriver:
    """A driver in all but `run`."""

    def __init__(self, driver: Driver, payloads: PayloadCodecs, events_of: EventsOf) -> None:
        self._driver = driver
        self._payloads = payloads
        self._events_of = events_of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def run(self, name: str, function: OperationFunction, **options: Any) -> Future:
        """See `Driver.run`; where the other log has no result, `function` is executed after all."""
        made: list[str] = []

        async def recall() -> JsonValue:
            recorded = self._recorded(made[0])
            if isinstance(recorded, OperationCompleted):
                return self._payloads.from_wire(cast(JsonValue, recorded.result))
            if isinstance(recorded, OperationFailed):
                raise type(recorded.error.type, (Exception,), {})(recorded.error.message)
            result = function()
            return await result if inspect.isawaitable(result) else result

        future = self._driver.run(name, recall, **options)
        made.append(future.id)
        return future

    def _recorded(self, operation: str) -> OperationCompleted | OperationFailed | None:
        execution, _, _ = owner_of(operation)
        for event in reversed(list(self._events_of(execution))):
            data = event.data
            if isinstance(data, OperationCompleted | OperationFailed) and data.operation_id == operation:
                return data
        return None
