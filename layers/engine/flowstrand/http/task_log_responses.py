"""Response bodies of the routes of task logs."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.schema import rfc3339, to_json
from flowstrand.engine.task_log import LogLevel
from flowstrand.http.response_body import ErrorView, Moment, ResponseBody
from flowstrand.http.task_log_requests import cursor_text
from flowstrand.service.task_logs import LoggedRecord, LogPage


class LogsKept(ResponseBody):
    """The records are kept. `batches_left` is how many more this attempt may send; after the last, records are dropped."""

    batches_left: int


class LogRecordView(ResponseBody):
    """One thing that an attempt has said; `timestamp` is by its worker's clock."""

    attempt: int
    timestamp: Moment
    level: LogLevel
    message: str
    logger: str | None = None
    fields: dict[str, Any] | None = None
    exception: ErrorView | None = None

    @classmethod
    def of(cls, logged: LoggedRecord) -> LogRecordView:
        """What `logged` says."""
        record = logged.record
        given: dict[str, Any] = {"logger": record.logger, "fields": record.fields}
        if record.exception is not None:
            given["exception"] = ErrorView.model_validate(to_json(record.exception))
        return cls(
            attempt=logged.attempt,
            timestamp=rfc3339(record.timestamp_ms),
            level=record.level,
            message=record.message,
            **{name: value for name, value in given.items() if value is not None},
        )


class LogsFound(ResponseBody):
    """A page of records. `next_cursor` is there if there may be more."""

    records: list[LogRecordView]
    next_cursor: str | None = None

    @classmethod
    def of(cls, page: LogPage) -> LogsFound:
        """What `page` holds."""
        views = [LogRecordView.of(logged) for logged in page.records]
        more = {} if page.next is None else {"next_cursor": cursor_text(page.next)}
        return cls(records=views, **more)
