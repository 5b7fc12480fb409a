"""Request bodies: the contract's field names and limits."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from flowstrand.engine.chunk import Chunk, ChunkType
from flowstrand.engine.events.vocabulary import ErrorInfo
from flowstrand.engine.names import KIND_PATTERN, LABEL_PATTERN, NAME_PATTERN
from flowstrand.engine.trace_context import TraceContext
from flowstrand.http.body import RequestBody
from flowstrand.http.idempotency_key import IdempotencyKey, IdempotencyKeyTtl
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.chunks import MAX_CHUNKS
from flowstrand.service.definitions import Manifest
from flowstrand.service.executions import StartRequest
from flowstrand.service.signal_with_start import Signal
from flowstrand.service.workers import Registration

MAX_LABEL = 128
"""Characters of a signal's name."""

MAX_METADATA_BYTES = 8_192
"""Metadata is part of the log's first commit, never a reference."""

MAX_TIMEOUT_S = 100 * 365 * 86_400
"""A hundred years."""

MAX_SCHEMA_BYTES = 32_768
"""A page of definitions with two schemas each has to fit what Lambda can answer."""

_MAX_MESSAGE, _MAX_STACK, _MAX_REASON = 8_192, 32_768, 1_024


def _is_small(metadata: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(metadata, ensure_ascii=False).encode()) > MAX_METADATA_BYTES:
        raise ValueError(f"metadata may have {MAX_METADATA_BYTES} bytes of JSON")
    return metadata


def _fits_a_row(schema: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(schema, ensure_ascii=False).encode()) > MAX_SCHEMA_BYTES:
        raise ValueError(f"a schema may have {MAX_SCHEMA_BYTES} bytes of JSON")
    return schema


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Kind = Annotated[str, StringConstraints(pattern=KIND_PATTERN)]
Kinds = Annotated[list[Kind], Field(max_length=500)]
LeaseToken = Annotated[str, StringConstraints(min_length=1, max_length=4_096)]
SignalName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LABEL, pattern=LABEL_PATTERN)]
RequestId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Version = Annotated[str, StringConstraints(min_length=1, max_length=128)]
TimeoutSeconds = Annotated[float, Field(gt=0, le=MAX_TIMEOUT_S)]
Metadata = Annotated[dict[str, Any], AfterValidator(_is_small)]
Schema = Annotated[dict[str, Any], AfterValidator(_fits_a_row)]


class StartExecution(RequestBody):
    """`POST /workflow-executions`."""

    kind: Kind
    input: Any = None
    queue: Name = "default"
    version: Version | None = None
    metadata: Metadata | None = None
    timeout_seconds: TimeoutSeconds | None = None
    idempotency_key: IdempotencyKey | None = None
    idempotency_key_ttl: IdempotencyKeyTtl = Field(default="24h", alias="idempotencyKeyTTL")

    def to_request(self, trace: TraceContext | None = None) -> StartRequest:
        """For the use case."""
        return _start_request(self, trace)


class SignalWithStart(RequestBody):
    """`POST /workflow-executions/signal-with-start`. `workflow_id` is an idempotency key."""

    workflow_id: IdempotencyKey
    kind: Kind
    signal_name: SignalName
    signal_value: Any = None
    request_id: RequestId | None = None
    input: Any = None
    queue: Name = "default"
    version: Version | None = None
    metadata: Metadata | None = None
    timeout_seconds: TimeoutSeconds | None = None

    def to_request(self, trace: TraceContext | None = None) -> StartRequest:
        """The execution to start, for the use case."""
        return _start_request(self, trace)

    def to_signal(self) -> Signal:
        """The signal to send, for the use case."""
        return Signal(name=self.signal_name, value=self.signal_value, request_id=self.request_id)


def _start_request(body: StartExecution | SignalWithStart, trace: TraceContext | None) -> StartRequest:
    return StartRequest(
        kind=body.kind,
        input=body.input,
        queue=body.queue,
        version=body.version,
        metadata=body.metadata,
        timeout_ms=None if body.timeout_seconds is None else math.ceil(body.timeout_seconds * 1_000),
        trace=trace,
    )


class RegisteredDefinition(RequestBody):
    """What a worker says of one task or workflow, all but its kind optional."""

    kind: Kind
    content_hash: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    input_schema: Schema | None = None
    output_schema: Schema | None = None
    queue: Name | None = None
    description: Annotated[str, StringConstraints(max_length=1_024)] | None = None

    def to_manifest(self) -> Manifest:
        """For the use case."""
        return Manifest(
            kind=self.kind,
            content_hash=self.content_hash,
            input_schema=self.input_schema,
            output_schema=self.output_schema,
            queue=self.queue,
            description=self.description,
        )


Definitions = Annotated[list[RegisteredDefinition], Field(max_length=500)]


class RegisterWorker(RequestBody):
    """`POST /workers`. A kind may be named alone, or with its definition, or both.

    `queue` is for a worker of one queue, `queues` for one of several.
    """

    name: Name
    queue: Name = "default"
    queues: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = None
    version: Version | None = None
    task_kinds: Kinds = Field(default_factory=list)
    workflow_kinds: Kinds = Field(default_factory=list)
    worker_id: Name | None = None
    task_definitions: Definitions = Field(default_factory=list)
    workflow_definitions: Definitions = Field(default_factory=list)

    def to_registration(self) -> Registration:
        """For the use case."""
        return Registration(
            name=self.name,
            queues=tuple(dict.fromkeys(self.queues or [self.queue])),
            version=self.version,
            task_kinds=tuple(self.task_kinds),
            workflow_kinds=tuple(self.workflow_kinds),
            worker_id=self.worker_id,
            tasks=tuple(definition.to_manifest() for definition in self.task_definitions),
            workflows=tuple(definition.to_manifest() for definition in self.workflow_definitions),
        )


class PollQueue(RequestBody):
    """`POST /queues/{queue}/poll`. Without `wait` (seconds), the request is held as long as it may be."""

    worker_id: Name
    kinds: Annotated[Kinds, Field(min_length=1)]
    max: Annotated[int, Field(ge=1, le=100)] = 1
    wait: Annotated[float, Field(ge=0, le=20)] = 20


class CompleteTask(RequestBody):
    """`POST /task-executions/{id}/complete`."""

    lease_token: LeaseToken
    output: Any = None


class TaskError(RequestBody):
    """What went wrong, as a task's worker or whoever rejects a promise tells it."""

    type: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    message: str
    stack: str | None = None

    def to_info(self) -> ErrorInfo:
        """For the use case. What is too long for the log is cut: a failure must not be lost to its own length."""
        stack = None if self.stack is None else self.stack[-_MAX_STACK:]
        return ErrorInfo(type=self.type, message=self.message[:_MAX_MESSAGE], stack=stack)


class FailTask(RequestBody):
    """`POST /task-executions/{id}/fail`."""

    lease_token: LeaseToken
    error: TaskError
    retryable: bool = True


def _of_type(type: str, payload: JsonObject, details: JsonObject) -> JsonObject:
    return {"properties": {"type": {"const": type}, "payload": payload, "details": details}}


_NONE: JsonObject = {"type": "null"}
_CHUNKS: list[JsonValue] = [
    _of_type("token", {"type": "string", "minLength": 1}, _NONE),
    _of_type("progress", {"type": "number", "minimum": 0, "maximum": 1}, {}),
    _of_type("data", {}, _NONE),
    _of_type(
        "error", {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]}, _NONE
    ),
]
"""What the validators of a chunk ask for, as schemas."""


class EmittedChunk(RequestBody):
    """A token's text, a progress from 0 to 1, any data, or an error's `{"message", …}`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": _CHUNKS})

    type: Literal["token", "progress", "data", "error"]
    payload: Any
    details: Any = None

    @field_validator("payload")
    @classmethod
    def _fits_its_type(cls, payload: Any, info: ValidationInfo) -> Any:
        match info.data.get("type"):
            case "token" if not isinstance(payload, str) or not payload:  # an empty one is no SSE event
                raise ValueError("a token is a string that is not empty")
            case "progress" if type(payload) not in (int, float) or not 0 <= payload <= 1:
                raise ValueError("a progress is a number from 0 to 1")
            case "error" if not isinstance(payload, dict) or not isinstance(payload.get("message"), str):
                raise ValueError("an error is an object with a message")
            case _:
                return payload

    @field_validator("details")
    @classmethod
    def _stand_beside_a_progress(cls, details: Any, info: ValidationInfo) -> Any:
        if details is not None and info.data.get("type") != "progress":
            raise ValueError("only a progress has details")
        return details

    def to_chunk(self) -> Chunk:
        """For the use case."""
        return Chunk(type=ChunkType(self.type), payload=self.payload, details=self.details)


class StreamChunks(RequestBody):
    """`POST /task-executions/{id}/stream`."""

    lease_token: LeaseToken
    request_id: RequestId | None = None
    chunks: Annotated[list[EmittedChunk], Field(min_length=1, max_length=MAX_CHUNKS)]


class HeartbeatTask(RequestBody):
    """`POST /task-executions/{id}/heartbeat`."""

    lease_token: LeaseToken
    progress: Annotated[float, Field(ge=0, le=1)] | None = None
    details: Any = None


class SignalExecution(RequestBody):
    """`POST /workflow-executions/{id}/signal`."""

    signal_name: SignalName
    signal_value: Any = None
    request_id: RequestId | None = None


class CancelExecution(RequestBody):
    """`POST /workflow-executions/{id}/cancel`."""

    reason: Annotated[str, StringConstraints(max_length=_MAX_REASON)] | None = None
    cascade_to_children: bool = True
    force: bool = False
    request_id: RequestId | None = None


class RetryExecution(RequestBody):
    """`POST /workflow-executions/{id}/retry`."""

    reason: Annotated[str, StringConstraints(max_length=_MAX_REASON)] | None = None
    request_id: RequestId | None = None


class ResolvePromise(RequestBody):
    """`POST /promises/{id}/resolve`."""

    value: Any = None


class RejectPromise(RequestBody):
    """`POST /promises/{id}/reject`."""

    error: TaskError
