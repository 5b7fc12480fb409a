"""Request bodies of the routes that workers run attempts by."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from flowstrand.engine.chunk import Chunk, ChunkType
from flowstrand.engine.events.vocabulary import ErrorInfo
from flowstrand.http.body import RequestBody
from flowstrand.http.request_fields import Kinds, LeaseToken, Name, RequestId
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.chunks import MAX_CHUNKS

_MAX_MESSAGE, _MAX_STACK = 8_192, 32_768
"""Characters."""


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
