"""Standalone tasks, and looking at any: the part of both clients that deals with tasks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from flowstrand.client import task_calls
from flowstrand.client.base import Base, SyncBase
from flowstrand.client.encoding import input_of, kind_of
from flowstrand.client.pages import each, each_sync
from flowstrand.client.task_execution import TaskAttempt, TaskExecution
from flowstrand.client.task_handle import SyncTaskHandle, TaskHandle
from flowstrand.client.task_log import LogLevelName, TaskLogRecord
from flowstrand.client.task_start_options import TaskStartOptions
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from flowstrand.sdk.code_shapes import (
        AsyncTaskClass,
        AsyncTaskClassWithoutInput,
        TaskClass,
        TaskClassWithoutInput,
    )
    from flowstrand.sdk.task import TaskDefinition

InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


class Tasking(Base):
    """`start_task`, `task_handle`, `get_task`, `cancel_task` and `attempts`."""

    @overload
    async def start_task(
        self, task: TaskDefinition[InputT, OutputT], input: InputT, **options: Unpack[TaskStartOptions]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: TaskDefinition[None, OutputT], **options: Unpack[TaskStartOptions]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: type[AsyncTaskClass[InputT, OutputT]], input: InputT, **options: Unpack[TaskStartOptions]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: type[TaskClass[InputT, OutputT]], input: InputT, **options: Unpack[TaskStartOptions]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: type[AsyncTaskClassWithoutInput[OutputT]], **options: Unpack[TaskStartOptions]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: type[TaskClassWithoutInput[OutputT]], **options: Unpack[TaskStartOptions]
    ) -> TaskHandle[OutputT]: ...
    @overload
    async def start_task(
        self, task: str, input: object = None, **options: Unpack[TaskStartOptions]
    ) -> TaskHandle[Any]: ...
    async def start_task(
        self, task: object, input: object = None, **options: Unpack[TaskStartOptions]
    ) -> TaskHandle[Any]:
        """Start a task without a workflow around it.

        Args:
            task: a `@task` definition, which gives input and output their types and says on which terms it is done, or a kind.
            input: what the definition takes; for a kind JSON, a pydantic model or a dataclass.
            options: see `TaskStartOptions`.

        Raises:
            NotSerializable: the input does not fit.
            NotFound: no worker has registered the kind, and it is not deployed.
            Conflict: the idempotency key stands for a task of another kind or with another input.
            CallerError: refused, and nothing was started; `Unavailable` with code UNREACHABLE may or may not have
                started one.
        """
        value = self.payloads.to_wire(input_of(task, input, noun="task"))
        request = task_calls.start(self.connection, task, kind_of(task), value, options)
        body = await self._answer(request)
        return self._task_handle(str(body["taskExecutionId"]), task, body)

    def task_handle(self, task_id: str, task: object = None) -> TaskHandle[Any]:
        """A handle on a standalone task that exists already; asks nothing. A definition types its result as it runs."""
        return self._task_handle(task_id, task)

    async def get_task(self, task_id: str) -> TaskExecution:
        """A task as it is now: a standalone one, or one of an execution."""
        return TaskExecution.of(await self._answer(task_calls.get(self.connection, task_id)))

    async def cancel_task(self, task_id: str, *, reason: str | None = None) -> None:
        """End a standalone task, whether it waits or runs; its worker hears of it with its next heartbeat.

        Raises:
            NotFound: there is no such task.
            Conflict: it has ended otherwise, or is an execution's, which alone can cancel it.
        """
        await self._answer(task_calls.cancel(self.connection, task_id, reason))

    def attempts(self, task_id: str) -> AsyncGenerator[TaskAttempt]:
        """The attempts of a task, a standalone one's or an execution's, the first one first."""
        return each(self._answer, task_calls.attempts(self.connection, task_id))

    def logs(
        self, task_id: str, *, attempt: int | None = None, level: LogLevelName | None = None
    ) -> AsyncGenerator[TaskLogRecord]:
        """What a task's attempts have logged so far, attempt by attempt, each in the order in which it was said.

        Args:
            attempt: leave out the others.
            level: leave out what matters less.
        """
        return each(self._answer, task_calls.logs(self.connection, task_id, attempt, level))

    @abstractmethod
    def _task_handle(self, task_id: str, task: object, started: JsonObject | None = None) -> TaskHandle[Any]:
        """A handle; `task`, where it is a definition, types its output."""


class SyncTasking(SyncBase):
    """The same, synchronously."""

    @overload
    def start_task(
        self, task: TaskDefinition[InputT, OutputT], input: InputT, **options: Unpack[TaskStartOptions]
    ) -> SyncTaskHandle[OutputT]: ...
    @overload
    def start_task(
        self, task: TaskDefinition[None, OutputT], **options: Unpack[TaskStartOptions]
    ) -> SyncTaskHandle[OutputT]: ...
    @overload
    def start_task(
        self, task: type[AsyncTaskClass[InputT, OutputT]], input: InputT, **options: Unpack[TaskStartOptions]
    ) -> SyncTaskHandle[OutputT]: ...
    @overload
    def start_task(
        self, task: type[TaskClass[InputT, OutputT]], input: InputT, **options: Unpack[TaskStartOptions]
    ) -> SyncTaskHandle[OutputT]: ...
    @overload
    def start_task(
        self, task: type[AsyncTaskClassWithoutInput[OutputT]], **options: Unpack[TaskStartOptions]
    ) -> SyncTaskHandle[OutputT]: ...
    @overload
    def start_task(
        self, task: type[TaskClassWithoutInput[OutputT]], **options: Unpack[TaskStartOptions]
    ) -> SyncTaskHandle[OutputT]: ...
    @overload
    def start_task(
        self, task: str, input: object = None, **options: Unpack[TaskStartOptions]
    ) -> SyncTaskHandle[Any]: ...
    def start_task(
        self, task: object, input: object = None, **options: Unpack[TaskStartOptions]
    ) -> SyncTaskHandle[Any]:
        """Start a task without a workflow around it; see `Client.start_task`."""
        value = self.payloads.to_wire(input_of(task, input, noun="task"))
        request = task_calls.start(self.connection, task, kind_of(task), value, options)
        body = self._answer(request)
        return self._task_handle(str(body["taskExecutionId"]), task, body)

    def task_handle(self, task_id: str, task: object = None) -> SyncTaskHandle[Any]:
        """A handle on a standalone task that exists already; asks nothing. A definition types its result as it runs."""
        return self._task_handle(task_id, task)

    def get_task(self, task_id: str) -> TaskExecution:
        """A task as it is now: a standalone one, or one of an execution."""
        return TaskExecution.of(self._answer(task_calls.get(self.connection, task_id)))

    def cancel_task(self, task_id: str, *, reason: str | None = None) -> None:
        """End a standalone task, whether it waits or runs; its worker hears of it with its next heartbeat.

        Raises:
            NotFound: there is no such task.
            Conflict: it has ended otherwise, or is an execution's, which alone can cancel it.
        """
        self._answer(task_calls.cancel(self.connection, task_id, reason))

    def attempts(self, task_id: str) -> Generator[TaskAttempt]:
        """The attempts of a task, a standalone one's or an execution's, the first one first."""
        return each_sync(self._answer, task_calls.attempts(self.connection, task_id))

    def logs(
        self, task_id: str, *, attempt: int | None = None, level: LogLevelName | None = None
    ) -> Generator[TaskLogRecord]:
        """What a task's attempts have logged so far; see `Client.logs`."""
        return each_sync(self._answer, task_calls.logs(self.connection, task_id, attempt, level))

    @abstractmethod
    def _task_handle(self, task_id: str, task: object, started: JsonObject | None = None) -> SyncTaskHandle[Any]:
        """A handle; `task`, where it is a definition, types its output."""
