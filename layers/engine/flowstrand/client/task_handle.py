"""`TaskHandle` and `SyncTaskHandle`: one standalone task, as its starter sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from flowstrand.client.deadline import Deadline
from flowstrand.client.encoding import output_of
from flowstrand.client.history import TASK_TERMINAL_TYPES, HistoryEvent
from flowstrand.client.stream import StreamEvent, StreamFormat
from flowstrand.client.task_execution import TaskAttempt, TaskExecution
from flowstrand.client.task_log import LogLevelName, TaskLogRecord
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from flowstrand.client.asynchronous import Client
    from flowstrand.client.synchronous import SyncClient

OutputT_co = TypeVar("OutputT_co", covariant=True)


class TaskHandle(Generic[OutputT_co]):
    """A standalone task and the client that reaches it.

    Attributes:
        started: what the API said when this handle's start was asked for; else empty.
    """

    def __init__(self, client: Client, id: str, task: object = None, started: JsonObject | None = None) -> None:
        """`task`, where it is a definition, says what type the output has."""
        self.id = id
        self.started = started or {}
        self._client = client
        self._task = task

    def __repr__(self) -> str:
        return f"TaskHandle({self.id!r})"

    async def get(self) -> TaskExecution:
        """The task as it is now."""
        return await self._client.get_task(self.id)

    async def result(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - the last long-poll is asked for no more than is left
    ) -> OutputT_co:
        """Wait for the end and return the output, of the type that the task definition declares.

        Raises:
            TaskTimeout: it was open at its deadline, or its last attempt took too long or was silent for too long.
            TaskFailed: it failed otherwise.
            TaskCancelled: it was cancelled.
            CodecFailed: the output was encoded with something that this client was not given.
            TimeoutError: it is still open after `timeout` seconds; it goes on nevertheless.
        """
        deadline = Deadline(timeout)
        snapshot = await self.get()
        after = snapshot.current_sequence
        while not snapshot.is_closed:
            page = await self._client.history(
                self.id, after=after, wait_s=deadline.next_wait_s(self.id), types=TASK_TERMINAL_TYPES
            )
            after = page.next_after
            if page.closed:
                snapshot = await self.get()
        output: OutputT_co = output_of(self._task, await self._client.download(snapshot.result()))
        return output

    async def cancel(self, *, reason: str | None = None) -> None:
        """End it, whether it waits or runs. See `Client.cancel_task`."""
        await self._client.cancel_task(self.id, reason=reason)

    def attempts(self) -> AsyncIterator[TaskAttempt]:
        """Its attempts, the first one first."""
        return self._client.attempts(self.id)

    def logs(
        self, *, attempt: int | None = None, level: LogLevelName | None = None
    ) -> AsyncIterator[TaskLogRecord]:
        """What its attempts have logged so far. See `Client.logs`."""
        return self._client.logs(self.id, attempt=attempt, level=level)

    def events(self, after: int = 0) -> AsyncIterator[HistoryEvent]:
        """Every event beyond `after` that is in its log now."""
        return self._client.events(self.id, after=after)

    def stream(
        self, after: int = 0, format: StreamFormat = "state", timeout: float | None = None
    ) -> AsyncIterator[StreamEvent]:
        """Follow its log live to its end. See `Client.stream`."""
        return self._client.stream(self.id, after=after, format=format, timeout=timeout)


class SyncTaskHandle(Generic[OutputT_co]):
    """A standalone task and the synchronous client that reaches it; see `TaskHandle`."""

    def __init__(
        self, client: SyncClient, id: str, task: object = None, started: JsonObject | None = None
    ) -> None:
        """`task`, where it is a definition, says what type the output has."""
        self.id = id
        self.started = started or {}
        self._client = client
        self._task = task

    def __repr__(self) -> str:
        return f"SyncTaskHandle({self.id!r})"

    def get(self) -> TaskExecution:
        """The task as it is now."""
        return self._client.get_task(self.id)

    def result(self, timeout: float | None = None) -> OutputT_co:
        """Wait for the end and return the output; see `TaskHandle.result`."""
        deadline = Deadline(timeout)
        snapshot = self.get()
        after = snapshot.current_sequence
        while not snapshot.is_closed:
            page = self._client.history(
                self.id, after=after, wait_s=deadline.next_wait_s(self.id), types=TASK_TERMINAL_TYPES
            )
            after = page.next_after
            if page.closed:
                snapshot = self.get()
        output: OutputT_co = output_of(self._task, self._client.download(snapshot.result()))
        return output

    def cancel(self, *, reason: str | None = None) -> None:
        """End it, whether it waits or runs. See `Client.cancel_task`."""
        self._client.cancel_task(self.id, reason=reason)

    def attempts(self) -> Iterator[TaskAttempt]:
        """Its attempts, the first one first."""
        return self._client.attempts(self.id)

    def logs(self, *, attempt: int | None = None, level: LogLevelName | None = None) -> Iterator[TaskLogRecord]:
        """What its attempts have logged so far. See `Client.logs`."""
        return self._client.logs(self.id, attempt=attempt, level=level)

    def events(self, after: int = 0) -> Iterator[HistoryEvent]:
        """Every event beyond `after` that is in its log now."""
        return self._client.events(self.id, after=after)

    def stream(
        self, after: int = 0, format: StreamFormat = "state", timeout: float | None = None
    ) -> Iterator[StreamEvent]:
        """Follow its log live to its end. See `Client.stream`."""
        return self._client.stream(self.id, after=after, format=format, timeout=timeout)
