"""`InProcessServer`: what attempts of tasks find where a worker's would find the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Protocol, TypeVar

from pydantic.alias_generators import to_camel

from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.server import AttemptServer
from flowstrand.engine.chunk import Chunk
from flowstrand.engine.events import ErrorInfo
from flowstrand.engine.ids import OrgId
from flowstrand.engine.task_log import LogRecord
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import claims, task_logs, tasks, uploads
from flowstrand.service.chunks import append_chunks
from flowstrand.service.container import Services

T = TypeVar("T")


class Perform(Protocol):
    """Carries out a use case that may be repeated, until it is answered or refused."""

    async def __call__(self, action: Callable[[Services], T]) -> T:
        """What `action` returned, or the `CallerError` that it raised."""
        ...


class InProcessServer(AttemptServer):
    """An `AttemptServer` on the use cases."""

    def __init__(self, org: OrgId, perform: Perform, *, report: Perform | None = None) -> None:
        """For attempts of `org`; `report` carries out their ends, if that is another way."""
        self._org = org
        self._perform = perform
        self._report = report or perform

    async def complete(self, task: ClaimedTask, output: JsonValue) -> None:
        """See `AttemptServer.complete`."""
        id, token = task.task_execution_id, task.lease_token
        await self._report(
            lambda services: tasks.complete(services, self._org, id, lease_token=token, output=output)
        )

    async def fail(
        self, task: ClaimedTask, *, type: str, message: str, stack: str | None, retryable: bool
    ) -> None:
        """See `AttemptServer.fail`."""
        id, token = task.task_execution_id, task.lease_token
        error = ErrorInfo(type=type, message=message, stack=stack)
        await self._report(
            lambda services: tasks.fail(
                services, self._org, id, lease_token=token, error=error, retryable=retryable
            )
        )

    async def stream(self, task: ClaimedTask, chunks: Sequence[Chunk], *, request_id: str) -> None:
        """See `AttemptServer.stream`."""
        id, token = task.task_execution_id, task.lease_token
        await self._perform(
            lambda services: append_chunks(
                services, self._org, id, lease_token=token, chunks=chunks, request_id=request_id
            )
        )

    async def log(self, task: ClaimedTask, batch: int, records: Sequence[LogRecord]) -> int:
        """See `AttemptServer.log`."""
        id, token = task.task_execution_id, task.lease_token
        return await self._perform(
            lambda services: task_logs.append(
                services, self._org, id, lease_token=token, batch=batch, records=records
            )
        )

    async def heartbeat(self, task: ClaimedTask, details: JsonValue = None, progress: float | None = None) -> bool:
        """See `AttemptServer.heartbeat`."""
        id, token = task.task_execution_id, task.lease_token
        return await self._perform(
            lambda services: tasks.heartbeat(
                services, self._org, id, lease_token=token, details=details, progress=progress
            )
        )

    async def input_of(self, task: ClaimedTask) -> JsonValue:
        """See `AttemptServer.input_of`. No detour: the store is at hand."""
        given: JsonValue = task.input
        return await self._perform(lambda services: uploads.read(services, self._org, given))

    async def keep(self, task: ClaimedTask, body: bytes) -> JsonValue:  # noqa: ARG002 - the port's
        """See `AttemptServer.keep`."""
        return await self._perform(lambda services: uploads.keep(services, self._org, body))


def as_answered(claimed: claims.ClaimedTask) -> ClaimedTask:
    """A claim as a worker reads it from the API's answer."""
    return ClaimedTask.model_validate({to_camel(f.name): getattr(claimed, f.name) for f in fields(claimed)})
