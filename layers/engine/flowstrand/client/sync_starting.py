"""Starting executions: the part of `SyncClient` that is typed by the workflow it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from flowstrand.client import call, commands
from flowstrand.client.base import SyncBase
from flowstrand.client.encoding import input_of, kind_of
from flowstrand.client.handle import SyncHandle
from flowstrand.client.start_options import ExecutionOptions, StartOptions, WaitOptions

if TYPE_CHECKING:
    from flowstrand.sdk.code_shapes import WorkflowClass, WorkflowClassWithoutInput
    from flowstrand.sdk.workflow import WorkflowDefinition

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


class SyncStarting(SyncBase):
    """`start`, `start_and_wait`, `signal_with_start` and `handle`."""

    @overload
    def start(
        self, workflow: WorkflowDefinition[InputT, OutputT], input: InputT, **options: Unpack[StartOptions]
    ) -> SyncHandle[OutputT]: ...
    @overload
    def start(
        self, workflow: WorkflowDefinition[None, OutputT], **options: Unpack[StartOptions]
    ) -> SyncHandle[OutputT]: ...
    @overload
    def start(
        self, workflow: type[WorkflowClass[InputT, OutputT]], input: InputT, **options: Unpack[StartOptions]
    ) -> SyncHandle[OutputT]: ...
    @overload
    def start(
        self, workflow: type[WorkflowClassWithoutInput[OutputT]], **options: Unpack[StartOptions]
    ) -> SyncHandle[OutputT]: ...
    @overload
    def start(self, workflow: str, input: object = None, **options: Unpack[StartOptions]) -> SyncHandle[Any]: ...
    def start(self, workflow: object, input: object = None, **options: Unpack[StartOptions]) -> SyncHandle[Any]:
        """Start an execution; see `Client.start`."""
        return self._start(workflow, input, options)

    @overload
    def start_and_wait(
        self, workflow: WorkflowDefinition[InputT, OutputT], input: InputT, **options: Unpack[WaitOptions]
    ) -> OutputT: ...
    @overload
    def start_and_wait(
        self, workflow: WorkflowDefinition[None, OutputT], **options: Unpack[WaitOptions]
    ) -> OutputT: ...
    @overload
    def start_and_wait(
        self, workflow: type[WorkflowClass[InputT, OutputT]], input: InputT, **options: Unpack[WaitOptions]
    ) -> OutputT: ...
    @overload
    def start_and_wait(
        self, workflow: type[WorkflowClassWithoutInput[OutputT]], **options: Unpack[WaitOptions]
    ) -> OutputT: ...
    @overload
    def start_and_wait(self, workflow: str, input: object = None, **options: Unpack[WaitOptions]) -> Any: ...
    def start_and_wait(
        self,
        workflow: object,
        input: object = None,
        *,
        timeout: float | None = None,
        **options: Unpack[StartOptions],
    ) -> Any:
        """`start`, then `SyncHandle.result`."""
        return self._start(workflow, input, options).result(timeout=timeout)

    @overload
    def handle(self, execution_id: str, workflow: WorkflowDefinition[Any, OutputT]) -> SyncHandle[OutputT]: ...
    @overload
    def handle(self, execution_id: str, workflow: type[WorkflowClass[Any, OutputT]]) -> SyncHandle[OutputT]: ...
    @overload
    def handle(
        self, execution_id: str, workflow: type[WorkflowClassWithoutInput[OutputT]]
    ) -> SyncHandle[OutputT]: ...
    @overload
    def handle(self, execution_id: str, workflow: str | None = None) -> SyncHandle[Any]: ...
    def handle(self, execution_id: str, workflow: object = None) -> SyncHandle[Any]:
        """A handle on an execution that exists already; asks nothing. A definition gives its result a type."""
        return self._handle(execution_id, workflow)

    @overload
    def signal_with_start(
        self,
        workflow: WorkflowDefinition[InputT, OutputT],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        input: InputT,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> SyncHandle[OutputT]: ...
    @overload
    def signal_with_start(
        self,
        workflow: WorkflowDefinition[None, OutputT],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> SyncHandle[OutputT]: ...
    @overload
    def signal_with_start(
        self,
        workflow: type[WorkflowClass[InputT, OutputT]],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        input: InputT,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> SyncHandle[OutputT]: ...
    @overload
    def signal_with_start(
        self,
        workflow: type[WorkflowClassWithoutInput[OutputT]],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> SyncHandle[OutputT]: ...
    @overload
    def signal_with_start(
        self,
        workflow: str,
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        input: object = None,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> SyncHandle[Any]: ...
    def signal_with_start(
        self,
        workflow: object,
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        input: object = None,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> SyncHandle[Any]:
        """Signal the open execution that `workflow_id` names, or start one; see `Client.signal_with_start`."""
        request = commands.signal_with_start(
            self.connection,
            workflow_id,
            (signal, commands.value_of(self.payloads, value, f"the value of signal {signal!r}")),
            call.new_execution(kind_of(workflow), self.payloads.to_wire(input_of(workflow, input)), options),
            request_id=request_id,
            headers=call.trace_headers(options),
        )
        body = self._answer(request)
        return self._handle(str(body["workflowExecutionId"]), workflow, body)

    def _start(self, workflow: object, input: object, options: StartOptions) -> SyncHandle[Any]:
        value = self.payloads.to_wire(input_of(workflow, input))
        request = call.start(self.connection, kind_of(workflow), value, options)
        body = self._answer(request)
        return self._handle(str(body["workflowExecutionId"]), workflow, body)
