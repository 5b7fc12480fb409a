"""`client.queues` and `client.workers`: look after queues and see who serves them, asynchronously and synchronously."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Unpack

from flowstrand.client import queue_calls
from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.client.pages import each, each_sync
from flowstrand.client.queue import PresentWorker, Queue
from flowstrand.client.queue_calls import QueueLimits
from flowstrand.jsonvalue import JsonObject


class Queues:
    """The queues of an org. Changes hold within two seconds, for workers and for the stack's own tasks."""

    def __init__(self, to: Connection, answer: Callable[[Call], Awaitable[JsonObject]]) -> None:
        """`answer` sends a request and gives the body of its answer."""
        self._to = to
        self._answer = answer

    async def get(self, queue: str) -> Queue:
        """What holds for a queue: nothing, for one that nobody has named."""
        return Queue.of(await self._answer(queue_calls.get(self._to, queue)))

    def list(self) -> AsyncGenerator[Queue]:
        """Every queue that a worker or an operator has named, by name."""
        return each(self._answer, queue_calls.listed(self._to))

    async def pause(self, queue: str) -> Queue:
        """Hand out nothing until it is resumed. What runs goes on."""
        return Queue.of(await self._answer(queue_calls.pause(self._to, queue, is_paused=True)))

    async def resume(self, queue: str) -> Queue:
        """Hand out tasks again."""
        return Queue.of(await self._answer(queue_calls.pause(self._to, queue, is_paused=False)))

    async def limit(self, queue: str, **limits: Unpack[QueueLimits]) -> Queue:
        """Say how many of its tasks begin in a second, or run at once.

        Raises:
            InvalidInput: a limit is out of range.
            TypeError: there is no such limit.
        """
        return Queue.of(await self._answer(queue_calls.limit(self._to, queue, **limits)))


class Workers:
    """The workers of an org."""

    def __init__(self, to: Connection, answer: Callable[[Call], Awaitable[JsonObject]]) -> None:
        """`answer` sends a request and gives the body of its answer."""
        self._to = to
        self._answer = answer

    def list(self, *, queue: str | None = None) -> AsyncGenerator[PresentWorker]:
        """Workers that were heard of in the last minutes, of one queue or of all, by id."""
        return each(self._answer, queue_calls.workers(self._to, queue))


class SyncQueues:
    """`Queues`, synchronously."""

    def __init__(self, to: Connection, answer: Callable[[Call], JsonObject]) -> None:
        """`answer` sends a request and gives the body of its answer."""
        self._to = to
        self._answer = answer

    def get(self, queue: str) -> Queue:
        """See `Queues.get`."""
        return Queue.of(self._answer(queue_calls.get(self._to, queue)))

    def list(self) -> Generator[Queue]:
        """See `Queues.list`."""
        return each_sync(self._answer, queue_calls.listed(self._to))

    def pause(self, queue: str) -> Queue:
        """See `Queues.pause`."""
        return Queue.of(self._answer(queue_calls.pause(self._to, queue, is_paused=True)))

    def resume(self, queue: str) -> Queue:
        """See `Queues.resume`."""
        return Queue.of(self._answer(queue_calls.pause(self._to, queue, is_paused=False)))

    def limit(self, queue: str, **limits: Unpack[QueueLimits]) -> Queue:
        """See `Queues.limit`."""
        return Queue.of(self._answer(queue_calls.limit(self._to, queue, **limits)))


class SyncWorkers:
    """`Workers`, synchronously."""

    def __init__(self, to: Connection, answer: Callable[[Call], JsonObject]) -> None:
        """`answer` sends a request and gives the body of its answer."""
        self._to = to
        self._answer = answer

    def list(self, *, queue: str | None = None) -> Generator[PresentWorker]:
        """See `Workers.list`."""
        return each_sync(self._answer, queue_calls.workers(self._to, queue))
