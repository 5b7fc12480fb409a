"""`@workflow`: makes an async function, or a class with an async `run`, into a workflow that the engine replays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from flowstrand.errors import InvalidDefinition
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.code_shapes import HasRun
from flowstrand.sdk.definition import Definition, InputT, InputT_contra, OutputT, OutputT_co
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.sdk.signature import body_of
from flowstrand.sdk.workflow_context import WorkflowContext

if TYPE_CHECKING:
    from flowstrand.engine.replay.driver import Driver

ClassT = TypeVar("ClassT", bound=HasRun)


_PLAIN = PayloadCodecs()


class WorkflowDefinition(Definition[InputT_contra, OutputT_co]):
    """A workflow: an `engine.replay.program.Program`, started by its `kind`, or as a child by this object."""

    NOUN = "workflow"

    def __init__(self, code: Callable[..., Any], *, name: str | None = None, queue: str | None = None) -> None:
        super().__init__(code, name=name, queue=queue)
        if not inspect.iscoroutinefunction(body_of(code, str(self))):
            raise InvalidDefinition(f"{self} must be `async def`: it waits by awaiting its context")

    @property
    def wire(self) -> PayloadCodecs:
        """Nothing is encoded, unless the app that has this workflow says so."""
        return _PLAIN

    async def begin(self, driver: Driver, input: JsonValue) -> JsonValue:
        """One execution: decode `input`, run the code, encode its output.

        Raises:
            NotSerializable: the input does not fit the workflow, or the output cannot be recorded.
            BaseException: whatever the code raises.
        """
        context = WorkflowContext(driver, self.signature)
        return await context.ending.around(self._body(context, input))

    async def _body(self, context: WorkflowContext, input: JsonValue) -> JsonValue:
        arguments = self.signature.decode_input(input)
        return self.signature.encode_output(await self.bound()(context, *arguments))


class WorkflowDecorator(Protocol):
    """What `@workflow(...)` does to the code below it."""

    @overload
    def __call__(
        self, code: Callable[[WorkflowContext, InputT], Coroutine[Any, Any, OutputT]], /
    ) -> WorkflowDefinition[InputT, OutputT]: ...
    @overload
    def __call__(
        self, code: Callable[[WorkflowContext], Coroutine[Any, Any, OutputT]], /
    ) -> WorkflowDefinition[None, OutputT]: ...
    @overload
    def __call__(self, code: type[ClassT], /) -> type[ClassT]: ...


@overload
def workflow(
    code: Callable[[WorkflowContext, InputT], Coroutine[Any, Any, OutputT]], /
) -> WorkflowDefinition[InputT, OutputT]: ...
@overload
def workflow(
    code: Callable[[WorkflowContext], Coroutine[Any, Any, OutputT]], /
) -> WorkflowDefinition[None, OutputT]: ...
@overload
def workflow(code: type[ClassT], /) -> type[ClassT]: ...
@overload
def workflow(*, name: str | None = None, queue: str | None = None) -> WorkflowDecorator: ...
def workflow(
    code: Callable[..., Any] | None = None, /, *, name: str | None = None, queue: str | None = None
) -> Any:
    """Declare a workflow: `@workflow` or `@workflow(name="order")`.

    The code is `async`, takes `(ctx)` or `(ctx, input)`, and awaits nothing but its context: it is replayed from its log,
    so all that it does to the world it does through tasks and `ctx.run`. A class is made anew for each execution, and its
    name then stands for the definition.

    Args:
        name: its kind; the function's or class's name by default.
        queue: the queue of executions started as its children; the parent's queue by default.

    Raises:
        InvalidDefinition: a bad name, signature or option.
    """
    declare = partial(WorkflowDefinition[Any, Any], name=name, queue=queue)
    return declare if code is None else declare(code)
