"""Bodies and queries of the routes of task logs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema

from flowstrand.engine.events.vocabulary import ErrorInfo
from flowstrand.engine.schema import epoch_ms
from flowstrand.engine.task_log import (
    MAX_BATCH_RECORDS,
    MAX_MESSAGE,
    MAX_NAME,
    MAX_STACK,
    LogLevel,
    LogRecord,
)
from flowstrand.http.body import RequestBody
from flowstrand.http.query import Query, WholeNumber
from flowstrand.http.request_fields import LeaseToken
from flowstrand.http.work_query import DEFAULT_LIMIT, MAX_LIMIT
from flowstrand.service.task_logs import Cursor

MAX_BATCH = 999_999
_MAX_ATTEMPT = 999_999


def _is_moment(text: str) -> str:
    epoch_ms(text)
    return text


Moment = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_is_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "maxLength": 64}),
]
Level = Annotated[LogLevel, Field(strict=False, description="DEBUG, INFO, WARNING, ERROR or CRITICAL.")]
LoggerName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]


class LoggedException(RequestBody):
    """What was being handled."""

    type: LoggerName
    message: Annotated[str, StringConstraints(max_length=MAX_MESSAGE)]
    stack: Annotated[str, StringConstraints(max_length=MAX_STACK)] | None = None

    def to_info(self) -> ErrorInfo:
        """For the use case."""
        return ErrorInfo(type=self.type, message=self.message, stack=self.stack)


class RecordToLog(RequestBody):
    """One record; `timestamp` is by the worker's clock, `fields` is what was said beside the message."""

    timestamp: Moment
    level: Level
    message: Annotated[str, StringConstraints(max_length=MAX_MESSAGE)]
    logger: LoggerName | None = None
    fields: dict[str, Any] | None = None
    exception: LoggedException | None = None

    def to_record(self) -> LogRecord:
        """For the use case."""
        return LogRecord(
            timestamp_ms=epoch_ms(self.timestamp),
            level=self.level,
            message=self.message,
            logger=self.logger,
            fields=self.fields,
            exception=None if self.exception is None else self.exception.to_info(),
        )


class AppendLogs(RequestBody):
    """`POST /task-executions/{id}/logs`. `batch` counts what this attempt sends, from 1."""

    lease_token: LeaseToken
    batch: Annotated[int, Field(ge=1, le=MAX_BATCH)]
    records: Annotated[list[RecordToLog], Field(min_length=1, max_length=MAX_BATCH_RECORDS)]


class LogsQuery(Query):
    """A page of a task's logs."""

    attempt: Annotated[
        Annotated[int, Field(ge=1, le=_MAX_ATTEMPT), WholeNumber] | None,
        Field(description="Only what this attempt has said."),
    ] = None
    level: Annotated[LogLevel, Field(description="Only what matters as much as this, or more.")] = LogLevel.DEBUG
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most."), WholeNumber] = DEFAULT_LIMIT
    cursor: Annotated[
        Annotated[str, StringConstraints(pattern=r"^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$")] | None,
        Field(description="The `nextCursor` of the page before; none for the first page."),
    ] = None

    def start(self) -> Cursor | None:
        """Where the page starts: where another one has said that the next one does."""
        if self.cursor is None:
            return None
        attempt, batch, index = map(int, self.cursor.split("."))
        return Cursor(attempt=attempt, batch=batch, index=index)


def cursor_text(cursor: Cursor) -> str:
    """A cursor as pages tell it."""
    return f"{cursor.attempt}.{cursor.batch}.{cursor.index}"
