"""Starting executions: the part of `Environment` that is typed by the workflow it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from flowstrand.client.encoding import input_of
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.duration import to_ms, to_positive_ms
from flowstrand.sdk.serde import Serde
from flowstrand.service import executions, idempotency
from flowstrand.service.executions import StartRequest
from flowstrand.service.signal_with_start import Signal, signal_with_start
from flowstrand.service.start_once import start_once
from flowstrand.testing.base import Base
from flowstrand.testing.definitions import kind_of
from flowstrand.testing.start_options import ExecutionOptions, StartOptions
from flowstrand.testing.world import ORG

if TYPE_CHECKING:
    from flowstrand.sdk.code_shapes import WorkflowClass, WorkflowClassWithoutInput
    from flowstrand.sdk.workflow import WorkflowDefinition
    from flowstrand.testing.handle import ExecutionHandle

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


class Starting(Base):
    """`start`, `start_and_wait` and `signal_with_start`."""

    @overload
    async def start(
        self, workflow: WorkflowDefinition[InputT, OutputT], input: InputT, **options: Unpack[StartOptions]
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def start(
        self, workflow: WorkflowDefinition[None, OutputT], **options: Unpack[StartOptions]
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def start(
        self, workflow: type[WorkflowClass[InputT, OutputT]], input: InputT, **options: Unpack[StartOptions]
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def start(
        self, workflow: type[WorkflowClassWithoutInput[OutputT]], **options: Unpack[StartOptions]
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def start(
        self, workflow: str, input: object = None, **options: Unpack[StartOptions]
    ) -> ExecutionHandle[JsonValue]: ...
    async def start(
        self, workflow: object, input: object = None, **options: Unpack[StartOptions]
    ) -> ExecutionHandle[Any]:
        """Start an execution, and let everything happen that can happen without time passing.

        Args:
            workflow: the decorated workflow, or its kind; an output is of the workflow's type, or plain JSON.
            options: see `StartOptions`.

        Raises:
            NotSerializable: the input does not fit the workflow.
            NotFound: the environment has no such workflow.
            Conflict: there is an execution of this id, or the idempotency key stands for one of another kind or with
                another input.
        """
        return self._handle(await self._start(workflow, input, options), workflow)

    @overload
    async def start_and_wait(
        self, workflow: WorkflowDefinition[InputT, OutputT], input: InputT, **options: Unpack[StartOptions]
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: WorkflowDefinition[None, OutputT], **options: Unpack[StartOptions]
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: type[WorkflowClass[InputT, OutputT]], input: InputT, **options: Unpack[StartOptions]
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: type[WorkflowClassWithoutInput[OutputT]], **options: Unpack[StartOptions]
    ) -> OutputT: ...
    @overload
    async def start_and_wait(
        self, workflow: str, input: object = None, **options: Unpack[StartOptions]
    ) -> JsonValue: ...
    async def start_and_wait(self, workflow: object, input: object = None, **options: Unpack[StartOptions]) -> Any:
        """`start`, then `ExecutionHandle.result`."""
        handle: ExecutionHandle[Any] = self._handle(await self._start(workflow, input, options), workflow)
        return await handle.result()

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
    ) -> ExecutionHandle[OutputT]: ...
    @overload
    async def signal_with_start(
        self,
        workflow: WorkflowDefinition[None, OutputT] | type[WorkflowClassWithoutInput[OutputT]],
        workflow_id: str,
        signal: str,
        value: object = None,
        *,
        request_id: str | None = None,
        **options: Unpack[ExecutionOptions],
    ) -> ExecutionHandle[OutputT]: ...
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
    ) -> ExecutionHandle[OutputT]: ...
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
    ) -> ExecutionHandle[JsonValue]: ...
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
    ) -> ExecutionHandle[Any]:
        """Signal the open execution that `workflow_id` names, or start one that begins with the signal.

        Args:
            workflow_id: an idempotency key, as `start` takes it; an execution that has ended leaves it to a new one.
            input: of the execution, should one be started; so are the `options`, see `ExecutionOptions`.
            request_id: makes a repetition a no-op.

        Returns:
            The execution that has the signal.

        Raises:
            NotSerializable: the input does not fit the workflow, or the value is no JSON.
            NotFound: the environment has no such workflow.
            Conflict: `workflow_id` names an open execution of another kind.
        """
        request = self._request(workflow, input, options)
        encoded = self._definitions.payloads.to_wire(Serde().encode(value, f"the value of signal {signal!r}"))
        sent = Signal(name=signal, value=encoded, request_id=request_id)
        await self._stage.settle()
        signalled = self._stage.act(
            lambda world: signal_with_start(world.services, ORG, request, workflow_id, sent)
        )
        await self._stage.settle()
        return self._handle(ExecutionId(signalled.snapshot.workflow_execution_id), workflow)

    async def _start(self, workflow: object, input: object, options: StartOptions) -> ExecutionId:
        request, key = self._request(workflow, input, options), options.get("idempotency_key")
        asked, ttl = options.get("id"), options.get("idempotency_key_ttl")
        if key is not None and asked is not None:
            raise InvalidInput("an execution is started under an id or under an idempotency key, not both")
        await self._stage.settle()
        if key is None:
            execution = self._new_id(asked)
            self._stage.act(lambda world: executions.start(world.services, ORG, request, execution_id=execution))
        else:
            ttl_ms = idempotency.DEFAULT_TTL_MS if ttl is None else to_positive_ms(ttl, "how long a key lasts")
            started = self._stage.act(lambda world: start_once(world.services, ORG, request, key, ttl_ms=ttl_ms))
            execution = ExecutionId(started.snapshot.workflow_execution_id)
        await self._stage.settle()
        return execution

    def _request(self, workflow: object, input: object, options: ExecutionOptions) -> StartRequest:
        timeout = options.get("timeout")
        return StartRequest(
            kind=kind_of(workflow),
            input=self._definitions.payloads.to_wire(input_of(workflow, input)),
            queue=options.get("queue", "default"),
            version=options.get("version"),
            metadata=options.get("metadata"),
            timeout_ms=None if timeout is None else to_ms(timeout, "a timeout"),
        )
