"""Requests of the routes of queues and of the list of workers, shared by the asynchronous and the synchronous client."""

from __future__ import annotations

from typing import TypedDict, Unpack

from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.client.pages import Pages
from flowstrand.client.queue import PresentWorker, Queue
from flowstrand.jsonvalue import JsonObject


class QueueLimits(TypedDict, total=False):
    """What is left out stays as it is; None takes the limit away.

    Attributes:
        max_tasks_per_second: how many attempts begin in a second, on average.
        max_concurrent: how many attempts run at the same time; at most 1,000.
    """

    max_tasks_per_second: float | None
    max_concurrent: int | None


def get(to: Connection, queue: str) -> Call:
    """What holds for a queue."""
    return Call(method="GET", path=to.path("queues", queue), repeatable=True)


def listed(to: Connection) -> Pages[Queue]:
    """Every queue."""
    return Pages(path=to.path("queues"), items="queues", read=Queue.of)


def pause(to: Connection, queue: str, *, is_paused: bool) -> Call:
    """Pause or resume."""
    return Call(method="PUT", path=to.path("queues", queue), json={"paused": is_paused}, repeatable=True)


def limit(to: Connection, queue: str, **limits: Unpack[QueueLimits]) -> Call:
    """Change limits.

    Raises:
        TypeError: there is no such limit.
    """
    if unknown := limits.keys() - QueueLimits.__annotations__.keys():
        raise TypeError(f"there is no limit {', '.join(sorted(unknown))}")
    body: JsonObject = {}
    if "max_tasks_per_second" in limits:
        body["maxTasksPerSecond"] = limits["max_tasks_per_second"]
    if "max_concurrent" in limits:
        body["maxConcurrent"] = limits["max_concurrent"]
    return Call(method="PUT", path=to.path("queues", queue), json=body, repeatable=True)


def workers(to: Connection, queue: str | None) -> Pages[PresentWorker]:
    """Every worker, or those of one queue."""
    params = {"queue": queue} if queue else {}
    return Pages(path=to.path("workers"), items="workers", read=PresentWorker.of, params=params)
