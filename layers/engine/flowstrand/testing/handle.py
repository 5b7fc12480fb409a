"""`ExecutionHandle`: one execution of an environment."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from flowstrand.client.history import HistoryEvent
from flowstrand.engine.events import (
    Event,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStatus,
)
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.schema import Payload
from flowstrand.errors import WorkflowCancelled as WorkflowCancelledError
from flowstrand.errors import WorkflowFailed as WorkflowFailedError
from flowstrand.errors import WorkflowTimeout
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.definition import Definition
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.service import executions, history
from flowstrand.testing.world import ORG

if TYPE_CHECKING:
    from flowstrand.testing.environment import Environment
    from flowstrand.testing.stage import Stage

OutputT_co = TypeVar("OutputT_co", covariant=True)


class ExecutionHandle(Generic[OutputT_co]):
    """An execution, and the environment it runs in.

    Attributes:
        id: of the execution.
        workflow: its definition, where the handle was given it.
    """

    def __init__(
        self, environment: Environment, stage: Stage, id: ExecutionId, workflow: object, payloads: PayloadCodecs
    ) -> None:
        """`workflow`, where it is a definition, says what type the output has, and `payloads` how it is encoded."""
        self.id = id
        self._environment = environment
        self._stage = stage
        self.workflow = workflow
        self._payloads = payloads

    def __repr__(self) -> str:
        return f"ExecutionHandle({self.id!r})"

    @property
    def status(self) -> WorkflowStatus:
        """PENDING, RUNNING, WAITING, CANCELLING, or how it ended."""
        return executions.get(self._stage.world.services, ORG, self.id).status

    async def result(self) -> OutputT_co:
        """Let time pass until the execution has ended, and return its output; that of its successor if it continued as new.

        Raises what the client's handle raises.

        Raises:
            WorkflowFailed: it failed. The stack of its code is among the error's notes.
            WorkflowTimeout: it was open at its timeout.
            WorkflowCancelled: it was cancelled.
            ExecutionStuck: it waits for something that can never happen.
            TimeoutError: it takes too much real time.
        """
        id = self.id
        while True:
            await self._stage.run_until(partial(self._is_closed, id), f"the result of {id}")
            self._stage.require_health()
            end = self._end(id).data
            if not isinstance(end, WorkflowCompleted):
                self._raise(end)
            if end.continued_as is None:
                return self._output(end.output)
            id = ExecutionId(end.continued_as)

    async def events(self, after: int = 0) -> list[HistoryEvent]:
        """Every event beyond `after` that is in the log now."""
        return await self._environment.events(self, after=after)

    async def signal(self, name: str, value: object = None) -> None:
        """See `Environment.signal`."""
        await self._environment.signal(self, name, value)

    async def cancel(self, reason: str | None = None, *, cascade: bool = True, force: bool = False) -> None:
        """See `Environment.cancel`."""
        await self._environment.cancel(self, reason, cascade=cascade, force=force)

    async def retry(self, reason: str | None = None) -> ExecutionHandle[OutputT_co]:
        """See `Environment.retry`."""
        return await self._environment.retry(self, reason)

    def _is_closed(self, id: ExecutionId) -> bool:
        return history.end(self._stage.world.services, ORG, id).closed

    def _end(self, id: ExecutionId) -> Event:
        last = history.end(self._stage.world.services, ORG, id).sequence
        return next(self._stage.world.events(id, after=last - 1))

    def _output(self, output: Payload) -> OutputT_co:
        typed: Any = self._payloads.from_wire(cast(JsonValue, output))  # it is inlined
        if isinstance(self.workflow, Definition):
            typed = self.workflow.signature.decode_output(typed)
        return cast(OutputT_co, typed)

    def _raise(self, end: object) -> NoReturn:
        match end:
            case WorkflowFailed(error=error, failure_type=failure_type):
                cls = WorkflowTimeout if failure_type == FailureType.TIMEOUT else WorkflowFailedError
            case WorkflowCancelled(reason=reason):
                raise WorkflowCancelledError(reason or "the execution was cancelled")
            case _:
                raise TypeError(f"not the end of an execution: {end!r}")
        failure = cls(error.message, kind=end.kind, error_type=error.type, stack=error.stack, id=self.id)
        failure.add_note(f"{error.type} in workflow {end.kind!r}, execution {self.id}")
        if error.stack:
            failure.add_note(error.stack)
        raise failure
