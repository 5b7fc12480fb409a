"""`ctx.run`: side effects in the middle of a workflow, executed once and recorded."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, overload

from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk import names
from flowstrand.sdk.context_base import ContextBase, inside_operation
from flowstrand.sdk.handles import Handle
from flowstrand.sdk.serde import Serde
from flowstrand.sdk.signature import output_of

P = ParamSpec("P")
T = TypeVar("T")


class Operations(ContextBase):
    """`run`."""

    @overload
    def run(
        self, name: str, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Handle[T]: ...
    @overload
    def run(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Handle[T]: ...
    def run(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Execute `function(*args)` once and record what it returns; replays read the record. `await` the handle.

        For short side effects and anything that differs between runs. It may be executed again if the process dies
        before the record is written. It may not use this context.

        Args:
            name: what the operation is called in the log.
            function: sync or async. Its return annotation says how the record is read back.

        Raises:
            OperationFailed: on awaiting, if it raised, or returned what cannot be recorded.
        """
        what = f"operation {names.label(name, 'an operation')!r}"
        output = output_of(function, what)

        def execute() -> JsonValue | Awaitable[JsonValue]:
            token = inside_operation.set(True)
            try:
                result = function(*args, **kwargs)
            finally:
                inside_operation.reset(token)
            if inspect.isawaitable(result):
                return _finish(result, output, what)
            return output.encode(result, f"the result of {what}")

        future = self._driver.run(name, execute)
        return Handle(self._driver, future, lambda data: output.decode(data, f"the result of {what}"))


async def _finish(result: Awaitable[Any], output: Serde, what: str) -> JsonValue:
    token = inside_operation.set(True)
    try:
        return output.encode(await result, f"the result of {what}")
    finally:
        inside_operation.reset(token)
