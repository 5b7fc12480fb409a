"""The local server's output: the same log records as in AWS, with the same ids, as lines that people read.

It is an author's own terminal, so exceptions keep their messages, which logs in AWS leave out. What was measured is told at the
level DEBUG.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping

from flowstrand.aws import telemetry
from flowstrand.aws.telemetry import Output
from flowstrand.observability.correlation import FIELDS, Ids
from flowstrand.observability.handler import ROOT, TellingHandler
from flowstrand.observability.metrics import Metric

LEVEL = "POWERTOOLS_LOG_LEVEL"
"""The environment variable that functions in AWS have theirs from; WARNING here by default."""

_logger = logging.getLogger("flowstrand.local")


class ReadableFormatter(logging.Formatter):
    """`12:00:00.123 WARNING resumer: what happened (org=dev executionId=01JD…7Q wakeSequence=4)`, and a traceback behind it."""

    default_time_format = "%H:%M:%S"
    default_msec_format = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(source)s: %(message)s%(ids)s")

    def format(self, record: logging.LogRecord) -> str:
        """One record, which may be changed."""
        known = record.__dict__
        ids = " ".join(f"{name}={known[name]}" for name in FIELDS if name in known and name != "function")
        known["source"] = known.get("function") or record.name.removeprefix(f"{ROOT}.")
        known["ids"] = f" ({ids})" if ids else ""
        return super().format(record)


def install(environment: Mapping[str, str] = os.environ) -> Callable[[], None]:
    """Have this process's handlers and everything else of Flowstrand tell what they do on standard error; returns how to undo it."""
    logger = logging.getLogger(ROOT)
    handlers, level = logger.handlers[:], logger.level
    handler = TellingHandler(to_stderr=True, tells_messages=True)
    handler.setFormatter(ReadableFormatter())
    logger.handlers[:] = [handler]
    logger.setLevel(environment.get(LEVEL, "").upper() or logging.WARNING)
    uninstall = telemetry.install(Output(lambda: None, _report))

    def undo() -> None:
        uninstall()
        logger.handlers[:] = handlers
        logger.setLevel(level)

    return undo


def _report(taken: Mapping[Metric, list[float]], ids: Ids) -> None:
    if taken and _logger.isEnabledFor(logging.DEBUG):
        told = " ".join(
            f"{metric.name}={'+'.join(f'{value:g}' for value in values)}" for metric, values in taken.items()
        )
        _logger.debug("measured %s", told, extra={**ids})
