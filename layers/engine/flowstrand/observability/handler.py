"""`TellingHandler`: writes log records with the ids of what the process is busy with, and exceptions as `faults` tells them.

What authors log themselves (`ctx.logger`) gets the ids and is otherwise theirs: they know what they say.
"""

from __future__ import annotations

import copy
import logging
import sys
from typing import TextIO

from flowstrand.observability import correlation, faults

ROOT = "flowstrand"
"""The logger that all of Flowstrand's stand below; the handler belongs to it."""
_AUTHORS = ("flowstrand.task.", "flowstrand.workflow.")


class TellingHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever the process has for its output at that moment."""

    def __init__(self, *, to_stderr: bool = False, tells_messages: bool = False) -> None:
        """To standard output, unless told otherwise.

        Args:
            tells_messages: exceptions keep their messages and are left to the formatter, as is right on an author's own
                terminal and nowhere else.
        """
        logging.Handler.__init__(self)
        self._to_stderr = to_stderr
        self._tells_messages = tells_messages

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # as of logging's own handler of last resort
        """Where records go."""
        return sys.stderr if self._to_stderr else sys.stdout

    def emit(self, record: logging.LogRecord) -> None:
        """Write a copy of the record; others who have it find it as it was."""
        told = copy.copy(record)
        for name, id in correlation.current().items():
            told.__dict__.setdefault(name, id)
        if not (self._tells_messages or record.name.startswith(_AUTHORS)):
            _tell_no_messages(told)
        super().emit(told)


def _tell_no_messages(record: logging.LogRecord) -> None:
    if isinstance(record.msg, BaseException):
        record.msg = faults.summary(record.msg)
    if isinstance(record.args, tuple):
        record.args = tuple(faults.summary(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
    error = record.exc_info[1] if record.exc_info else None
    record.exc_info = record.exc_text = None
    if error is not None:
        record.__dict__["exception_name"] = faults.name_of(error)
        record.__dict__["exception"] = faults.trace_of(error)
