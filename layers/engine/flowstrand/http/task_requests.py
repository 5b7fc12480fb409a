"""Request bodies and queries about standalone tasks, and about the attempts of any."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from flowstrand.engine.events import RetryPolicy
from flowstrand.engine.replay.commands import TaskTerms
from flowstrand.engine.trace_context import TraceContext
from flowstrand.http.body import RequestBody
from flowstrand.http.idempotency_key import IdempotencyKey, IdempotencyKeyTtl
from flowstrand.http.query import Query, WholeNumber
from flowstrand.http.request_fields import MAX_TIMEOUT_S, Kind, Metadata, Name
from flowstrand.http.work_query import DEFAULT_LIMIT, MAX_LIMIT
from flowstrand.jsonvalue import JsonObject
from flowstrand.service.attempts import Cursor
from flowstrand.service.standalone import TaskRequest

MAX_RETRIES = 10_000
MIN_HEARTBEAT_TIMEOUT_MS = 1_000
"""Workers heartbeat three times within it; a shorter one would mostly measure the network."""
MAX_PRIORITY = 1_000_000
_MAX_MS = MAX_TIMEOUT_S * 1_000
_MAX_REASON = 1_024

Milliseconds = Annotated[int, Field(ge=1, le=_MAX_MS)]
DelayMs = Annotated[int, Field(ge=0, le=_MAX_MS)]
Retries = Annotated[int, Field(ge=0, le=MAX_RETRIES)]
ErrorType = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Retry(RequestBody):
    """How often and how soon a task is tried again; what is left out is as for tasks of workflows."""

    max_retries: Retries = 3
    initial_ms: DelayMs = 1_000
    multiplier: Annotated[float, Field(ge=1, le=1_000)] = 2.0
    max_ms: DelayMs = 60_000
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.2
    non_retryable: Annotated[list[ErrorType], Field(max_length=100)] = Field(default_factory=list)

    def to_policy(self) -> RetryPolicy:
        """For the use case."""
        return RetryPolicy(
            max_retries=self.max_retries,
            initial_ms=self.initial_ms,
            multiplier=self.multiplier,
            max_ms=self.max_ms,
            jitter=self.jitter,
            non_retryable=tuple(sorted(set(self.non_retryable))) or None,
        )


_RETRIES_TWICE: JsonObject = {
    "properties": {"maxRetries": {"type": "integer"}, "retry": {"type": "object"}},
    "required": ["maxRetries", "retry"],
}


class StartTask(RequestBody):
    """`POST /task-executions`. Without a `queue`, it waits where the kind's worker has registered it. `maxRetries` alone is short for a `retry` that says nothing else."""

    model_config = ConfigDict(json_schema_extra={"not": _RETRIES_TWICE})

    kind: Kind
    input: Any = None
    queue: Name | None = None
    max_retries: Retries | None = None
    retry: Retry | None = None
    timeout_ms: Milliseconds | None = None
    start_to_close_ms: Milliseconds | None = None
    heartbeat_timeout_ms: Annotated[int, Field(ge=MIN_HEARTBEAT_TIMEOUT_MS, le=_MAX_MS)] | None = None
    priority: Annotated[int, Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY)] | None = None
    metadata: Metadata | None = None
    idempotency_key: IdempotencyKey | None = None
    idempotency_key_ttl: IdempotencyKeyTtl = Field(default="24h", alias="idempotencyKeyTTL")

    @model_validator(mode="after")
    def _says_retries_once(self) -> Self:
        if self.max_retries is not None and self.retry is not None:
            raise ValueError("give maxRetries or retry, not both")
        return self

    def to_request(self, trace: TraceContext | None = None) -> TaskRequest:
        """For the use case."""
        retry = (self.retry or Retry()).to_policy()
        return TaskRequest(
            kind=self.kind,
            input=self.input,
            queue=self.queue,
            retry=retry if self.max_retries is None else replace(retry, max_retries=self.max_retries),
            terms=TaskTerms(
                timeout_ms=self.timeout_ms,
                start_to_close_ms=self.start_to_close_ms,
                heartbeat_timeout_ms=self.heartbeat_timeout_ms,
                priority=self.priority or None,
            ),
            metadata=self.metadata,
            trace=trace,
        )


class AttemptsQuery(Query):
    """A page of a task's attempts."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most."), WholeNumber] = DEFAULT_LIMIT
    cursor: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}\.[0-9]{1,15}$")] | None,
        Field(description="The `nextCursor` of the page before; none for the first page."),
    ] = None

    def start(self) -> Cursor:
        """Where the page starts: where another one has said that the next one does."""
        if self.cursor is None:
            return Cursor()
        after, _, started_at = self.cursor.partition(".")
        return Cursor(after=int(after), started_at=int(started_at))


class CancelTaskQuery(Query):
    """`DELETE /task-executions/{id}`."""

    reason: Annotated[
        Annotated[str, StringConstraints(max_length=_MAX_REASON)] | None,
        Field(description="For people; part of the event."),
    ] = None


def cursor_text(cursor: Cursor) -> str:
    """A cursor as pages tell it."""
    return f"{cursor.after}.{cursor.started_at}"
