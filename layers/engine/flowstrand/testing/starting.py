"""Starting executions: the part of `Environment` that is typed by the workflow it is given."""

# ruff: noqa: ASYNC109 - a timeout here bounds the execution, in virtual time, and not the call
from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from flowstrand.client.encoding import input_of
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.duration import Duration, to_ms
from flowstrand.service import executions
from flowstrand.service.executions import StartRequest
from flowstrand.testing.base import Base
from flowstrand.testing.definitions import kind_of
from flowstrand.testing.world import ORG

if TYPE_CHECKING:
    from flowstrand.sdk.code_shapes import WorkflowClass, WorkflowClassWithoutInput
    from flowstrand.sdk.workflow import WorkflowDefinition
    from flowstrand.testing.handle import ExecutionHandle

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


class Starting(Base):
    """`start` and `start_and_wait`."""

    @overload
    async def start(
        self,
        workflow: WorkflowDefinition[InputT, OutputT],
        input: InputT,
        *,
        id: str | None = None,
        queue: str = "default",
        metadata: JsonObject | None = None,
        timeout: Duration | None = None,
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def start(
        self,
        workflow: WorkflowDefinition[None, OutputT],
        *,
        id: str | None = None,
        queue: str = "default",
        metadata: JsonObject | None = None,
        timeout: Duration | None = None,
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def start(
        self,
        workflow: type[WorkflowClass[InputT, OutputT]],
        input: InputT,
        *,
        id: str | None = None,
        queue: str = "default",
        metadata: JsonObject | None = None,
        timeout: Duration | None = None,
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def start(
        self,
        workflow: type[WorkflowClassWithoutInput[OutputT]],
        *,
        id: str | None = None,
        queue: str = "default",
        metadata: JsonObject | None = None,
        timeout: Duration | None = None,
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def start(
        self,
        workflow: str,
        input: object = None,
        *,
        id: str | None = None,
        queue: str = "default",
        metadata: JsonObject | None = None,
        timeout: Duration | None = None,
    ) -> ExecutionHandle[JsonValue]: ...
    async def start(
        self,
        workflow: object,
        input: object = None,
        *,
        id: str | None = None,
        queue: str = "default",
        metadata: JsonObject | None = None,
        timeout: Duration | None = None,
    ) -> ExecutionHandle[Any]:
        """Start an execution, and let everything happen that can happen without time passing.

        Args:
            workflow: the decorated workflow, or its kind; an output is of the workflow's type, or plain JSON.
            id: of the execution; a new one by default.
            timeout: how long the execution may take, in virtual time (seconds, or a timedelta); for ever by default.

        Raises:
            NotSerializable: the input does not fit the workflow.
            NotFound: the environment has no such workflow.
            Conflict: there is an execution of this id.
        """
        execution = self._new_id(id)
        value = self._definitions.payloads.to_wire(input_of(workflow, input))
        request = StartRequest(
            kind=kind_of(workflow),
            input=value,
            queue=queue,
            metadata=metadata,
            timeout_ms=None if timeout is None else to_ms(timeout, "a timeout"),
        )
        await self._stage.settle()
        self._stage.act(lambda world: executions.start(world.services, ORG, request, execution_id=execution))
        await self._stage.settle()
        return self._handle(execution, workflow)

    @overload
    async def start_and_wait(
        self, workflow: WorkflowDefinition[InputT, OutputT], input: InputT, *, id: str | None = None
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: WorkflowDefinition[None, OutputT], *, id: str | None = None
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: type[WorkflowClass[InputT, OutputT]], input: InputT, *, id: str | None = None
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: type[WorkflowClassWithoutInput[OutputT]], *, id: str | None = None
    ) -> OutputT: ...
    @overload
    async def start_and_wait(self, workflow: str, input: object = None, *, id: str | None = None) -> JsonValue: ...
    async def start_and_wait(self, workflow: Any, input: Any = None, *, id: str | None = None) -> Any:
        """`start`, then `ExecutionHandle.result`."""
        handle = await self.start(workflow, input, id=id)
        return await handle.result()
