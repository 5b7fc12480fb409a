"""Tasks: starting standalone ones, typed by the task that is given, and what any task has logged."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from flowstrand.client.encoding import input_of
from flowstrand.client.task_log import LogLevelName, TaskLogRecord
from flowstrand.engine.events import RetryPolicy
from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.schema import to_json
from flowstrand.engine.task_log import LogLevel
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.task import TaskDefinition
from flowstrand.sdk.task_options import TaskKeywords, TaskOptions
from flowstrand.service import standalone, task_logs
from flowstrand.service.container import Services
from flowstrand.service.standalone import TaskRequest
from flowstrand.service.task_logs import Cursor, LoggedRecord
from flowstrand.testing.base import Base
from flowstrand.testing.definitions import kind_of
from flowstrand.testing.task_handle import TaskHandle
from flowstrand.testing.world import ORG

if TYPE_CHECKING:
    from flowstrand.sdk.code_shapes import (
        AsyncTaskClass,
        AsyncTaskClassWithoutInput,
        TaskClass,
        TaskClassWithoutInput,
    )

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")
_PAGE = 1_000


class Tasking(Base):
    """`start_task`, `cancel_task` and `task_logs`."""

    @overload
    async def start_task(
        self, task: TaskDefinition[InputT, OutputT], input: InputT, **options: Unpack[TaskKeywords]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: TaskDefinition[None, OutputT], **options: Unpack[TaskKeywords]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: type[AsyncTaskClass[InputT, OutputT]], input: InputT, **options: Unpack[TaskKeywords]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: type[AsyncTaskClassWithoutInput[OutputT]], **options: Unpack[TaskKeywords]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: type[TaskClass[InputT, OutputT]], input: InputT, **options: Unpack[TaskKeywords]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: type[TaskClassWithoutInput[OutputT]], **options: Unpack[TaskKeywords]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: str, input: object = None, **options: Unpack[TaskKeywords]
    ) -> TaskHandle[JsonValue]: ...
    async def start_task(
        self, task: object, input: object = None, **options: Unpack[TaskKeywords]
    ) -> TaskHandle[Any]:
        """Start a task without a workflow around it, and let everything happen that can happen without time passing.

        Args:
            task: the decorated task, or its kind; an output is of the task's type, or plain JSON.
            options: retry, timeout, start_to_close, heartbeat_timeout, queue, priority: see `TaskOptions`. What is not said
                is as the task declares it.

        Raises:
            NotSerializable: the input does not fit the task.
            NotFound: the environment has no such task.
            InvalidDefinition: an option is out of range.
        """
        id = self._new_task_id()
        terms = TaskOptions(**options)
        if isinstance(task, TaskDefinition):
            terms = terms.over(task.options)
        request = TaskRequest(
            kind=kind_of(task),
            input=self._definitions.payloads.to_wire(input_of(task, input, noun="task")),
            queue=terms.queue,
            retry=terms.retry.engine() if terms.retry else RetryPolicy(),
            terms=terms.terms(),
        )
        await self._stage.settle()
        self._stage.act(lambda world: standalone.start(world.services, ORG, request, task_id=id))
        await self._stage.settle()
        return self._task_handle(id, task)

    async def cancel_task(self, task_id: str, reason: str | None = None) -> None:
        """End a standalone task, whether it waits or runs.

        Raises:
            NotFound, Conflict: there is no such task, or it has ended otherwise.
        """
        await self._stage.settle()
        self._stage.act(lambda world: standalone.cancel(world.services, ORG, task_id, reason=reason))
        await self._stage.settle()

    async def task_logs(
        self, task_id: str, *, attempt: int | None = None, level: LogLevelName = "DEBUG"
    ) -> list[TaskLogRecord]:
        """What a task's attempts have said with `ctx.logger`, a standalone one's or an execution's.

        What a running attempt says is there a moment later; what it has said by its end is there at its end. Timestamps are in
        real time.

        Args:
            attempt: leave out the others.
            level: leave out what matters less.

        Raises:
            NotFound: there is no such task.
        """
        await self._stage.settle()
        least, services = LogLevel(level), self._stage.world.services
        return [_shown(logged) for logged in _logged(services, task_id, attempt, least)]

    @abstractmethod
    def _task_handle(self, id: ExecutionId, task: object) -> TaskHandle[Any]:
        """A handle; `task`, where it is a definition, types its output."""

    @abstractmethod
    def _new_task_id(self) -> ExecutionId:
        """A new standalone task's id."""


def _logged(services: Services, task_id: str, attempt: int | None, level: LogLevel) -> Iterator[LoggedRecord]:
    start: Cursor | None = None
    while True:
        page = task_logs.read(services, ORG, task_id, attempt=attempt, level=level, limit=_PAGE, start=start)
        yield from page.records
        start = page.next
        if start is None:
            return


def _shown(logged: LoggedRecord) -> TaskLogRecord:
    return TaskLogRecord.of({"attempt": logged.attempt, **to_json(logged.record)})
