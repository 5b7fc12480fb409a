"""`LogRecord`: one thing that an attempt of a task has said in its log, and how much it may say.

Records are no events. They have no sequence, make nothing happen, and no view of a log shows them.
"""

from __future__ import annotations

import json
from enum import StrEnum

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import ErrorInfo
from flowstrand.engine.schema import EpochMs, to_json
from flowstrand.jsonvalue import JsonObject

MAX_BATCH_RECORDS = 200
"""How many records one call may bring."""
MAX_BATCH_BYTES = 128 * 1_024
"""How long the JSON of all of them may be, in ASCII: every other character counts as its escape."""
MAX_MESSAGE, MAX_STACK, MAX_NAME = 16_384, 16_384, 256
"""Characters of a message, of a traceback, and of the name of a logger or of an exception's class."""


class LogLevel(StrEnum):
    """How much it matters, the least first."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """Higher for what matters more."""
        return tuple(LogLevel).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One record.

    Attributes:
        timestamp_ms: by the clock of the worker.
        logger: which logger said it; None for the attempt's own.
        fields: what was said beside the message.
        exception: what was being handled.
    """

    timestamp_ms: EpochMs
    level: LogLevel
    message: str
    logger: str | None = None
    fields: JsonObject | None = None
    exception: ErrorInfo | None = None


def size_of(record: LogRecord) -> int:
    """Bytes of a record's JSON, in ASCII."""
    return len(json.dumps(to_json(record), separators=(",", ":")))
