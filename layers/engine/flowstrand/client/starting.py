"""Starting executions: the part of `Client` that is typed by the workflow it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from flowstrand.client import call, commands
from flowstrand.client.base import Base
from flowstrand.client.encoding import input_of, kind_of
from flowstrand.client.handle import Handle
from flowstrand.client.start_options import ExecutionOptions, StartOptions, WaitOptions

if TYPE_CHECKING:
    from flowstrand.sdk.code_shapes import WorkflowClass, WorkflowClassWithoutInput
    from flowstrand.sdk.workflow import WorkflowDefinition

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


class Starting(Base):
    """`start`, `start_and_wait`, `signal_with_start` and `handle`."""

    @overload
    async def start(
        self, workflow: WorkflowDefinition[InputT, OutputT], input: InputT, **options: Unpack[StartOptions]
    ) -> Handle[OutputT]: ...
    @overload
    async def start(
        self, workflow: WorkflowDefinition[None, OutputT], **options: Unpack[StartOptions]
    ) -> Handle[OutputT]: ...
    @overload
    async def start(
        self, workflow: type[WorkflowClass[InputT, OutputT]], input: InputT, **options: Unpack[StartOptions]
    ) -> Handle[OutputT]: ...
    @overload
    async def start(
        self, workflow: type[WorkflowClassWithoutInput[OutputT]], **options: Unpack[StartOptions]
    ) -> Handle[OutputT]: ...
    @overload
    async def start(self, workflow: str, input: object = None, **options: Unpack[StartOptions]) -> Handle[Any]: ...
    async def start(self, workflow: object, input: object = None, **options: Unpack[StartOptions]) -> Handle[Any]:
        """Start an execution.

        Args:
            workflow: a `@workflow` definition, which gives input and output their types, or a kind.
            input: what the definition takes; for a kind JSON, a pydantic model or a dataclass.
            options: see `StartOptions`.

        Raises:
            NotSerializable: the input does not fit.
            Conflict: the idempotency key stands for an execution of another kind or with another input.
            CallerError: refused, and nothing was started; `Unavailable` with code UNREACHABLE may or may not have
                started one.
        """
        return await self._start(workflow, input, options)

    @overload
    async def start_and_wait(
        self, workflow: WorkflowDefinition[InputT, OutputT], input: InputT, **options: Unpack[WaitOptions]
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: WorkflowDefinition[None, OutputT], **options: Unpack[WaitOptions]
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: type[WorkflowClass[InputT, OutputT]], input: InputT, **options: Unpack[WaitOptions]
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: type[WorkflowClassWithoutInput[OutputT]], **options: Unpack[WaitOptions]
    ) -> OutputT: ...
    @overload
    async def start_and_wait(self, workflow: str, input: object = None, **options: Unpack[WaitOptions]) -> Any: ...
    async def start_and_wait(
        self,
        workflow: object,
        input: object = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - it bounds the waiting, not the request
        **options: Unpack[StartOptions],
    ) -> Any:
        """`start`, then `Handle.result`."""
        handle: Handle[Any] = await self._start(workflow, input, options)
        return await handle.result(timeout=timeout)

    @overload
    def handle(self, execution_id: str, workflow: WorkflowDefinition[Any, OutputT]) -> Handle[OutputT]: ...
    @overload
    def handle(self, execution_id: str, workflow: type[WorkflowClass[Any, OutputT]]) -> Handle[OutputT]: ...
    @overload
    def handle(self, execution_id: str, workflow: type[WorkflowClassWithoutInput[OutputT]]) -> Handle[OutputT]: ...
    @overload
    def handle(self, execution_id: str, workflow: str | None = None) -> Handle[Any]: ...
    def handle(self, execution_id: str, workflow: object = None) -> Handle[Any]:
        """A handle on an execution that exists already; asks nothing. A definition gives its result a type."""
        return self._handle(execution_id, workflow)

    @overload
    async def signal_with_start(
        self,
        workflow: WorkflowDefinition[InputT, OutputT],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        input: InputT,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> Handle[OutputT]: ...
    @overload
    async def signal_with_start(
        self,
        workflow: WorkflowDefinition[None, OutputT],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> Handle[OutputT]: ...
    @overload
    async def signal_with_start(
        self,
        workflow: type[WorkflowClass[InputT, OutputT]],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        input: InputT,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> Handle[OutputT]: ...
    @overload
    async def signal_with_start(
        self,
        workflow: type[WorkflowClassWithoutInput[OutputT]],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> Handle[OutputT]: ...
    @overload
    async def signal_with_start(
        self,
        workflow: str,
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        input: object = None,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> Handle[Any]: ...
    async def signal_with_start(
        self,
        workflow: object,
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        input: object = None,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> Handle[Any]:
        """Signal the open execution that `workflow_id` names, or start one that begins with the signal.

        However many call this at once, one execution is started, and each of them is heard.

        Args:
            workflow_id: an idempotency key, as `start` takes it; an execution that has ended leaves it to a new one.
            signal: the signal's name.
            value: what it carries.
            input: of the execution, should one be started; so are the `options`, see `ExecutionOptions`.
            request_id: makes a repetition a no-op, as in `signal`.

        Returns:
            The execution that has the signal.

        Raises:
            NotSerializable: the input does not fit, or the value is no JSON.
            Conflict: `workflow_id` names an open execution of another kind.
            CallerError: refused, and nothing was started or recorded.
        """
        request = commands.signal_with_start(
            self.connection,
            workflow_id,
            (signal, commands.value_of(self.payloads, value, f"the value of signal {signal!r}")),
            call.new_execution(kind_of(workflow), self.payloads.to_wire(input_of(workflow, input)), options),
            request_id=request_id,
            headers=call.trace_headers(options),
        )
        body = await self._answer(request)
        return self._handle(str(body["workflowExecutionId"]), workflow, body)

    async def _start(self, workflow: object, input: object, options: StartOptions) -> Handle[Any]:
        value = self.payloads.to_wire(input_of(workflow, input))
        request = call.start(self.connection, kind_of(workflow), value, options)
        body = await self._answer(request)
        return self._handle(str(body["workflowExecutionId"]), workflow, body)
