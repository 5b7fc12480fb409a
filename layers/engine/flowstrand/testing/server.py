"""`InProcessServer`: what attempts of tasks find where a worker's would find the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Protocol, TypeVar

from pydantic.alias_generators import to_camel

from flowstrand.engine.chunk import Chunk
from flowstrand.engine.events import ErrorInfo
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import tasks
from flowstrand.service.chunks import append_chunks
from flowstrand.testing.faults import WorkerDied
from flowstrand.testing.world import ORG, World
from flowstrand.worker.api import ClaimedTask

T = TypeVar("T")


class Actor(Protocol):
    """Whoever carries out what is asked of every world."""

    def act(self, action: Callable[[World], T]) -> T:
        """Do it, and let what follows happen."""
        ...


class InProcessServer:
    """A `worker.attempt.AttemptServer` on the use cases."""

    def __init__(self, actor: Actor, *, is_cut_off: bool = False) -> None:
        """With `is_cut_off`, the worker dies when it has something to report."""
        self._actor = actor
        self._is_cut_off = is_cut_off

    async def complete(self, task: ClaimedTask, output: JsonValue) -> None:
        """See `AttemptServer.complete`."""
        id, token = task.task_execution_id, task.lease_token
        self._report(lambda world: tasks.complete(world.services, ORG, id, lease_token=token, output=output))

    async def fail(
        self, task: ClaimedTask, *, type: str, message: str, stack: str | None, retryable: bool
    ) -> None:
        """See `AttemptServer.fail`."""
        id, token = task.task_execution_id, task.lease_token
        error = ErrorInfo(type=type, message=message, stack=stack)
        self._report(
            lambda world: tasks.fail(world.services, ORG, id, lease_token=token, error=error, retryable=retryable)
        )

    async def stream(self, task: ClaimedTask, chunks: Sequence[Chunk], *, request_id: str) -> None:
        """Record what the task emitted."""
        id, token = task.task_execution_id, task.lease_token
        self._actor.act(
            lambda world: append_chunks(
                world.services, ORG, id, lease_token=token, chunks=chunks, request_id=request_id
            )
        )

    async def heartbeat(self, task: ClaimedTask, details: JsonValue = None) -> bool:
        """See `AttemptServer.heartbeat`."""
        id, token = task.task_execution_id, task.lease_token
        return self._actor.act(
            lambda world: tasks.heartbeat(world.services, ORG, id, lease_token=token, details=details)
        )

    def _report(self, action: Callable[[World], int]) -> None:
        if self._is_cut_off:
            raise WorkerDied
        self._actor.act(action)


def as_answered(claimed: tasks.ClaimedTask) -> ClaimedTask:
    """A claim as a worker reads it from the API's answer."""
    return ClaimedTask.model_validate({to_camel(f.name): getattr(claimed, f.name) for f in fields(claimed)})
