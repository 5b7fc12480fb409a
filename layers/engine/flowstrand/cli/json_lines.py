"""`JsonLines`: log records as JSON, an object a line."""

from __future__ import annotations

import json
import logging

from flowstrand.engine.schema import rfc3339


class JsonLines(logging.Formatter):
    """Time, level, logger and message; `metrics`, where a record has them; the traceback of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, without its newline."""
        body: dict[str, object] = {
            "timestamp": rfc3339(round(record.created * 1_000)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if hasattr(record, "metrics"):
            body["metrics"] = record.metrics
        if record.exc_info:
            body["exception"] = self.formatException(record.exc_info)
        return json.dumps(body, default=str)
