"""`@task`: makes a function, or a class with `run`, into a task that workflows schedule and workers run."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol, TypeVar, Unpack, overload

from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.code_shapes import HasRun
from flowstrand.sdk.definition import Definition, InputT, InputT_contra, OutputT, OutputT_co
from flowstrand.sdk.retry import RetryPolicy
from flowstrand.sdk.task_context import TaskContext
from flowstrand.sdk.task_options import TaskKeywords, TaskOptions

ClassT = TypeVar("ClassT", bound=HasRun)


class TaskDefinition(Definition[InputT_contra, OutputT_co]):
    """A task: schedule it by this object, or by its `kind`.

    Attributes:
        retry: how often it is tried, unless the caller says otherwise.
        options: on which terms it is done, unless the caller says otherwise.
    """

    NOUN = "task"

    def __init__(
        self,
        code: Callable[..., Any],
        *,
        name: str | None = None,
        **options: Unpack[TaskKeywords],
    ) -> None:
        self.options = TaskOptions(**options)
        super().__init__(code, name=name, queue=self.options.queue)
        self.retry = self.options.retry or RetryPolicy()

    async def execute(self, ctx: TaskContext, input: JsonValue, *, executor: Executor | None = None) -> JsonValue:
        """Run one attempt: decode `input`, run the code, encode what it returns.

        Code that is not `async` runs in a thread of `executor` (the loop's own if None), with this context's variables.

        Raises:
            NotSerializable: the input does not fit the task, or the output cannot be recorded.
            Exception: whatever the code raises.
        """
        call = partial(self.bound(), ctx, *self.signature.decode_input(input))
        if inspect.iscoroutinefunction(call.func):
            return self.signature.encode_output(await call())
        copied = contextvars.copy_context()
        output = await asyncio.get_running_loop().run_in_executor(executor, copied.run, call)
        if inspect.isawaitable(output):  # a plain function that hands on a coroutine
            output = await output
        return self.signature.encode_output(output)


class TaskDecorator(Protocol):
    """What `@task(...)` does to the code below it."""

    @overload
    def __call__(
        self, code: Callable[[TaskContext, InputT], Coroutine[Any, Any, OutputT]], /
    ) -> TaskDefinition[InputT, OutputT]: ...
    @overload
    def __call__(
        self, code: Callable[[TaskContext], Coroutine[Any, Any, OutputT]], /
    ) -> TaskDefinition[None, OutputT]: ...
    @overload
    def __call__(self, code: Callable[[TaskContext, InputT], OutputT], /) -> TaskDefinition[InputT, OutputT]: ...
    @overload
    def __call__(self, code: Callable[[TaskContext], OutputT], /) -> TaskDefinition[None, OutputT]: ...
    @overload
    def __call__(self, code: type[ClassT], /) -> type[ClassT]: ...


@overload
def task(
    code: Callable[[TaskContext, InputT], Coroutine[Any, Any, OutputT]], /
) -> TaskDefinition[InputT, OutputT]: ...
@overload
def task(code: Callable[[TaskContext], Coroutine[Any, Any, OutputT]], /) -> TaskDefinition[None, OutputT]: ...
@overload
def task(code: Callable[[TaskContext, InputT], OutputT], /) -> TaskDefinition[InputT, OutputT]: ...
@overload
def task(code: Callable[[TaskContext], OutputT], /) -> TaskDefinition[None, OutputT]: ...
@overload
def task(code: type[ClassT], /) -> type[ClassT]: ...
@overload
def task(*, name: str | None = None, **options: Unpack[TaskKeywords]) -> TaskDecorator: ...
def task(
    code: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    **options: Unpack[TaskKeywords],
) -> Any:
    """Declare a task: `@task` or `@task(name="charge-card", retry=RetryPolicy(max_attempts=4), start_to_close=30)`.

    The code takes `(ctx)` or `(ctx, input)`, `async` or not (then it runs in a thread). A class is made anew for each
    attempt, and its name then stands for the definition. Input and output are pydantic models, dataclasses or plain JSON, by annotation.

    Args:
        name: its kind; the function's or class's name by default.
        options: retry, timeout, start_to_close, heartbeat_timeout, queue, priority: see `TaskOptions`.

    Raises:
        InvalidDefinition: a bad name, signature or option.
    """
    declare = partial(TaskDefinition[Any, Any], name=name, **options)
    return declare if code is None else declare(code)
