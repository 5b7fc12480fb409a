"""`TaskLogRecord`: something that an attempt of a task has logged, as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue

LogLevelName: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLogRecord:
    """One thing that was said with `ctx.logger`.

    Attributes:
        attempt: which one said it.
        timestamp: RFC 3339, by its worker's clock.
        level: DEBUG, INFO, WARNING, ERROR or CRITICAL.
        logger: which logger said it; None for the attempt's own.
        fields: what was said beside the message, with `extra`.
        exception: `{type, message, stack?}` of what was being handled.
        body: everything that the API says.
    """

    attempt: int
    timestamp: str
    level: str
    message: str
    logger: str | None
    fields: JsonObject | None
    exception: JsonObject | None
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> TaskLogRecord:
        """From the API's JSON."""
        said: Mapping[str, Any] = body
        return cls(
            attempt=said["attempt"],
            timestamp=said["timestamp"],
            level=said["level"],
            message=said["message"],
            logger=said.get("logger"),
            fields=said.get("fields"),
            exception=said.get("exception"),
            body=dict(body),
        )
