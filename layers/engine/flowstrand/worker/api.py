"""The worker's side of the API: one method per route. A refusal is raised as the `CallerError` it stands for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, TypeAlias, TypeVar, cast

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.client import answers
from flowstrand.client.connection import Connection
from flowstrand.client.transfers import Transfers
from flowstrand.engine.chunk import Chunk
from flowstrand.engine.schema import to_json
from flowstrand.engine.task_log import LogRecord
from flowstrand.errors import Unavailable
from flowstrand.jsonvalue import JsonObject, JsonValue

WorkerState: TypeAlias = Literal["RUNNING", "PAUSED", "DRAINING", "STOPPED"]

_PATIENCE_S = 15.0
"""How long an answer may take beyond the wait that was asked for."""


class _Answer(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


AnswerT = TypeVar("AnswerT", bound=_Answer)


class Registered(_Answer):
    """The id to poll with, and the kinds of the queue that others serve and this worker does not."""

    worker_id: str
    missing_kinds: tuple[str, ...] = ()


class Polled(_Answer):
    """What a poll brought.

    Attributes:
        paused: nothing, since the queue is paused.
        worker_known: false where the worker has to register again.
    """

    tasks: tuple[ClaimedTask, ...]
    paused: bool = False
    worker_known: bool = True


class _Beat(_Answer):
    cancel_requested: bool


class _Kept(_Answer):
    batches_left: int


class WorkerApi:
    """An HTTP client. Raises `httpx2.TransportError` on network errors and `CallerError` on refusals."""

    def __init__(
        self, connection: Connection, *, max_connections: int, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._connection = connection
        self._http = httpx2.AsyncClient(
            base_url=connection.url,
            auth=connection.auth,
            timeout=_PATIENCE_S,
            limits=httpx2.Limits(max_connections=max_connections),
            transport=transport,
        )
        self._transfers = Transfers(connection, transport)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()
        await self._transfers.aclose()

    async def register(
        self,
        *,
        name: str,
        queues: Sequence[str],
        kinds: Sequence[str],
        definitions: Sequence[JsonValue],
        worker_id: str | None,
        version: str | None,
    ) -> Registered:
        """Tell the server what this worker serves."""
        body: JsonObject = {
            "name": name,
            "queues": list(queues),
            "taskKinds": list(kinds),
            "taskDefinitions": list(definitions),
        }
        if worker_id is not None:
            body["workerId"] = worker_id
        if version is not None:
            body["version"] = version
        return _read(Registered, await self._post(["workers"], body))

    async def poll(self, queue: str, *, worker_id: str, kinds: Sequence[str], limit: int, wait_s: float) -> Polled:
        """Claim up to `limit` attempts, waiting up to `wait_s` seconds for the first."""
        body: JsonObject = {"workerId": worker_id, "kinds": list(kinds), "max": limit, "wait": wait_s}
        answer = await self._post(["queues", queue, "poll"], body, timeout_s=wait_s + _PATIENCE_S)
        return _read(Polled, answer)

    async def tell_state(self, worker_id: str, state: WorkerState) -> None:
        """Say that the worker is there, and what it is doing."""
        await self._post(["workers", worker_id, "heartbeat"], {"state": state})

    async def complete(self, task: ClaimedTask, output: JsonValue) -> None:
        """Report success."""
        await self._post(_path(task, "complete"), {"leaseToken": task.lease_token, "output": output})

    async def fail(
        self, task: ClaimedTask, *, type: str, message: str, stack: str | None, retryable: bool
    ) -> None:
        """Report failure."""
        error: JsonObject = {"type": type, "message": message}
        if stack is not None:
            error["stack"] = stack
        body: JsonObject = {"leaseToken": task.lease_token, "error": error, "retryable": retryable}
        await self._post(_path(task, "fail"), body)

    async def stream(self, task: ClaimedTask, chunks: Sequence[Chunk], *, request_id: str) -> None:
        """Record what the task emitted. Repeating a request is a no-op."""
        emitted: list[JsonValue] = [_chunk(chunk) for chunk in chunks]
        body: JsonObject = {"leaseToken": task.lease_token, "requestId": request_id, "chunks": emitted}
        await self._post(_path(task, "stream"), body)

    async def log(self, task: ClaimedTask, batch: int, records: Sequence[LogRecord]) -> int:
        """Keep what the task logged; returns how many more batches will be kept. Repeating a batch is a no-op."""
        logged: list[JsonValue] = [to_json(record) for record in records]
        body: JsonObject = {"leaseToken": task.lease_token, "batch": batch, "records": logged}
        return _read(_Kept, await self._post(_path(task, "logs"), body)).batches_left

    async def heartbeat(self, task: ClaimedTask, details: JsonValue = None, progress: float | None = None) -> bool:
        """Renew the lease; returns whether the task's cancellation was requested. `details` are for the next attempt."""
        body: JsonObject = {"leaseToken": task.lease_token}
        if details is not None:
            body["details"] = details
        if progress is not None:
            body["progress"] = progress
        answer = await self._post(_path(task, "heartbeat"), body)
        return _read(_Beat, answer).cancel_requested

    async def input_of(self, task: ClaimedTask) -> JsonValue:
        """The input of a task that was claimed with something in its place."""
        return await self._transfers.get(str(task.input_url))

    async def keep(self, task: ClaimedTask, body: bytes) -> JsonValue:
        """Upload an output; returns what stands for it."""
        asked: JsonObject = {
            "leaseToken": task.lease_token,
            "sizeBytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        begun = await self._post(_path(task, "payloads"), asked)
        await self._transfers.put(begun, body)
        return begun["payload"]

    async def _post(self, path: list[str], body: JsonObject, *, timeout_s: float = _PATIENCE_S) -> JsonObject:
        response = await self._http.post(self._connection.path(*path), json=body, timeout=timeout_s)
        return answers.body_of(response)


def _path(task: ClaimedTask, action: str) -> list[str]:
    return ["task-executions", task.task_execution_id, action]


def _chunk(chunk: Chunk) -> JsonObject:
    """As the API takes it; the worker's chunks hold values, never references."""
    body: JsonObject = {"type": chunk.type.value, "payload": cast("JsonValue", chunk.payload)}
    if chunk.details is not None:
        body["details"] = cast("JsonValue", chunk.details)
    return body


def _read(cls: type[AnswerT], body: JsonObject) -> AnswerT:
    try:
        return cls.model_validate(body)
    except ValidationError as error:
        raise Unavailable("not an answer of this API", code="UNEXPECTED_ANSWER") from error
