"""`ctx.run`: side effects in the middle of a workflow, executed once and recorded."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, ParamSpec, TypeVar, overload

from flowstrand.engine.replay.ledger import OperationFunction
from flowstrand.engine.replay.patches import PREFIX
from flowstrand.engine.retry import has_attempt_left, retry_delay_ms
from flowstrand.errors import InvalidDefinition, OperationFailed
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk import names
from flowstrand.sdk.context_base import ContextBase, inside_operation
from flowstrand.sdk.handles import Handle
from flowstrand.sdk.retry import RetryPolicy
from flowstrand.sdk.serde import Serde
from flowstrand.sdk.signature import output_of

P = ParamSpec("P")
T = TypeVar("T")


class Operations(ContextBase):
    """`run`."""

    @overload
    def run(
        self, name: str, function: Callable[[], Coroutine[Any, Any, T]], /, *, retry: RetryPolicy
    ) -> Handle[T]: ...
    @overload
    def run(self, name: str, function: Callable[[], T], /, *, retry: RetryPolicy) -> Handle[T]: ...
    @overload
    def run(
        self, name: str, function: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Handle[T]: ...
    @overload
    def run(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Handle[T]: ...
    def run(
        self,
        name: str,
        function: Callable[..., Any],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Handle[Any]:
        """Execute `function(*args)` once and record what it returns; replays read the record. `await` the handle.

        For short side effects and anything that differs between runs. It may be executed again if the process dies
        before the record is written. It may not use this context.

        Args:
            name: what the operation is called in the log.
            function: sync or async. Its return annotation says how the record is read back.

        Keyword Args:
            retry (RetryPolicy): how often it is tried; once by default. Each failure is recorded, and the delays are timers. `function`
                then takes no arguments: use a lambda or a `partial`.

        Raises:
            OperationFailed: on awaiting, if it raised, or returned what cannot be recorded.
        """
        retry = kwargs.pop("retry") if isinstance(kwargs.get("retry"), RetryPolicy) else None
        what = f"operation {names.label(name, 'an operation')!r}"
        if name.startswith(PREFIX):
            raise InvalidDefinition(f"{what}: names that begin with {PREFIX!r} are those of patches")
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

        def decode(data: JsonValue) -> Any:
            return output.decode(data, f"the result of {what}")

        if retry is None:
            return Handle(self._driver, self._driver.run(name, execute), decode)
        return Handle(self._driver, self._driver.spawn(self._retried(name, execute, retry), "run"), decode)

    async def _retried(self, name: str, execute: OperationFunction, retry: RetryPolicy) -> JsonValue:
        policy = retry.engine()
        for attempt in count(1):
            operation = self._driver.run(name, execute, non_retryable=policy.non_retryable or ())
            try:
                return await operation
            except OperationFailed as failed:
                if not failed.is_retryable or not has_attempt_left(policy, attempt=attempt):
                    raise
            delay_ms = retry_delay_ms(policy, attempt=attempt, seed=operation.id)
            await self._driver.start_timer(self._driver.now_ms + delay_ms)
        raise AssertionError("unreachable")


async def _finish(result: Awaitable[Any], output: Serde, what: str) -> JsonValue:
    token = inside_operation.set(True)
    try:
        return output.encode(await result, f"the result of {what}")
    finally:
        inside_operation.reset(token)
