"""`TaskHandle`: one standalone task of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from flowstrand.client.history import HistoryEvent
from flowstrand.client.task_log import LogLevelName, TaskLogRecord
from flowstrand.engine.events import TaskStatus
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import TaskCancelled, TaskFailed, TaskTimeout
from flowstrand.sdk.definition import Definition
from flowstrand.sdk.payload_codecs import PayloadCodecs
from flowstrand.service import task_snapshots
from flowstrand.service.task_snapshots import TaskSnapshot
from flowstrand.testing.world import ORG

if TYPE_CHECKING:
    from flowstrand.testing.environment import Environment
    from flowstrand.testing.stage import Stage

OutputT_co = TypeVar("OutputT_co", covariant=True)

_OPEN = frozenset({TaskStatus.PENDING, TaskStatus.RUNNING})


class TaskHandle(Generic[OutputT_co]):
    """A standalone task, and the environment it runs in.

    Attributes:
        id: of the task; `Environment.events` and its kin take it as they take an execution's.
    """

    def __init__(
        self, environment: Environment, stage: Stage, id: ExecutionId, task: object, payloads: PayloadCodecs
    ) -> None:
        """`task`, where it is a definition, says what type the output has, and `payloads` how it is encoded."""
        self.id = id
        self._environment = environment
        self._stage = stage
        self._task = task
        self._payloads = payloads

    def __repr__(self) -> str:
        return f"TaskHandle({self.id!r})"

    @property
    def status(self) -> TaskStatus:
        """PENDING, RUNNING, or how it ended."""
        return self._snapshot().status

    async def result(self) -> OutputT_co:
        """Let time pass until the task has ended, and return its output.

        Raises what the client's handle raises.

        Raises:
            TaskTimeout: it was open at its deadline, or its last attempt took too long or was silent for too long.
            TaskFailed: it failed otherwise. The stack of its code is among the error's notes.
            TaskCancelled: it was cancelled.
            ExecutionStuck: it waits for something that can never happen.
            TimeoutError: it takes too much real time.
        """
        await self._stage.run_until(lambda: self._snapshot().status not in _OPEN, f"the result of {self.id}")
        self._stage.require_health()
        snapshot = self._snapshot()
        if snapshot.status is not TaskStatus.COMPLETED:
            raise _failure(snapshot)
        typed: Any = self._payloads.from_wire(snapshot.output)
        if isinstance(self._task, Definition):
            typed = self._task.signature.decode_output(typed)
        return cast(OutputT_co, typed)

    async def events(self, after: int = 0) -> list[HistoryEvent]:
        """Every event beyond `after` that is in its log now."""
        return await self._environment.events(self.id, after=after)

    async def logs(self, *, attempt: int | None = None, level: LogLevelName = "DEBUG") -> list[TaskLogRecord]:
        """What its attempts have logged. See `Environment.task_logs`."""
        return await self._environment.task_logs(self.id, attempt=attempt, level=level)

    async def cancel(self, reason: str | None = None) -> None:
        """End it, whether it waits or runs."""
        await self._environment.cancel_task(self.id, reason)

    def _snapshot(self) -> TaskSnapshot:
        return task_snapshots.get(self._stage.world.services, ORG, self.id)


def _failure(snapshot: TaskSnapshot) -> TaskFailed | TaskCancelled:
    error = snapshot.error
    assert error is not None
    failed = TaskTimeout if snapshot.failure_type == FailureType.TIMEOUT else TaskFailed
    failure = (TaskCancelled if snapshot.status is TaskStatus.CANCELLED else failed)(
        error.message, kind=snapshot.kind, error_type=error.type, stack=error.stack, id=snapshot.task_execution_id
    )
    if error.stack:
        failure.add_note(error.stack)
    return failure
