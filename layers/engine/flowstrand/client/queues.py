"""`client.queues`: look after queues, asynchronously and synchronously."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Literal, TypeAlias

from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.client.pages import Pages, each, each_sync
from flowstrand.client.queue import Queue
from flowstrand.jsonvalue import JsonObject

Unchanged: TypeAlias = Literal["unchanged"]


class Queues:
    """The queues of an org. Changes reach every server process within seconds, and no attempt that has begun."""

    def __init__(self, to: Connection, answer: Callable[[Call], Awaitable[JsonObject]]) -> None:
        """`answer` sends a request and gives the body of its answer."""
        self._to = to
        self._answer = answer

    def list(self) -> AsyncGenerator[Queue]:
        """The queues that workers or operators have named, by name."""
        return each(self._answer, _listed(self._to))

    async def get(self, queue: str) -> Queue:
        """What holds for a queue; nothing, for one that nobody has named."""
        return Queue.of(await self._answer(_get(self._to, queue)))

    async def pause(self, queue: str) -> Queue:
        """Let no attempt begin until it is resumed. Those that run go on."""
        return Queue.of(await self._answer(_change(self._to, queue, {"paused": True})))

    async def resume(self, queue: str) -> Queue:
        """Let attempts begin again."""
        return Queue.of(await self._answer(_change(self._to, queue, {"paused": False})))

    async def limit(
        self,
        queue: str,
        *,
        max_tasks_per_second: float | Unchanged | None = "unchanged",
        max_concurrent: int | Unchanged | None = "unchanged",
    ) -> Queue:
        """Set limits; None takes one away.

        Args:
            max_tasks_per_second: how many attempts begin in a second, on average.
            max_concurrent: how many attempts run at the same time, on whatever workers.

        Raises:
            InvalidInput: a limit is not more than 0, or absurd.
        """
        return Queue.of(await self._answer(_limit(self._to, queue, max_tasks_per_second, max_concurrent)))


class SyncQueues:
    """The same, synchronously."""

    def __init__(self, to: Connection, answer: Callable[[Call], JsonObject]) -> None:
        """`answer` sends a request and gives the body of its answer."""
        self._to = to
        self._answer = answer

    def list(self) -> Generator[Queue]:
        """See `Queues.list`."""
        return each_sync(self._answer, _listed(self._to))

    def get(self, queue: str) -> Queue:
        """See `Queues.get`."""
        return Queue.of(self._answer(_get(self._to, queue)))

    def pause(self, queue: str) -> Queue:
        """See `Queues.pause`."""
        return Queue.of(self._answer(_change(self._to, queue, {"paused": True})))

    def resume(self, queue: str) -> Queue:
        """See `Queues.resume`."""
        return Queue.of(self._answer(_change(self._to, queue, {"paused": False})))

    def limit(
        self,
        queue: str,
        *,
        max_tasks_per_second: float | Unchanged | None = "unchanged",
        max_concurrent: int | Unchanged | None = "unchanged",
    ) -> Queue:
        """See `Queues.limit`."""
        return Queue.of(self._answer(_limit(self._to, queue, max_tasks_per_second, max_concurrent)))


def _listed(to: Connection) -> Pages[Queue]:
    return Pages(path=to.path("queues"), items="queues", read=Queue.of)


def _get(to: Connection, queue: str) -> Call:
    return Call(method="GET", path=to.path("queues", queue), repeatable=True)


def _limit(to: Connection, queue: str, rate: float | str | None, at_once: int | str | None) -> Call:
    given: JsonObject = {"maxTasksPerSecond": rate, "maxConcurrent": at_once}
    return _change(to, queue, {name: value for name, value in given.items() if value != "unchanged"})


def _change(to: Connection, queue: str, change: JsonObject) -> Call:
    return Call(method="PUT", path=to.path("queues", queue), json=change, repeatable=True)
