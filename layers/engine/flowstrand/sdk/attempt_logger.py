"""`AttemptLogger`: what `ctx.logger` of a task is: the logging of its process, and the log that is kept of its attempt."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from flowstrand.engine.events.vocabulary import ErrorInfo
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.task_log import LogLevel, LogRecord
from flowstrand.json_depth import is_deeper
from flowstrand.jsonvalue import JsonObject, JsonValue

MAX_MESSAGE, MAX_STACK, MAX_ERROR = 8_000, 8_000, 2_000
"""Characters that are kept of a message, of a traceback's innermost part, and of an exception's own message."""
_MAX_TEXT_BYTES, _MAX_FIELDS_BYTES = 32_000, 8_000
"""How long the ASCII JSON of such a text may be, and that of all fields."""
_MAX_NAME, _MAX_DEPTH = 256, 20
_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the others were given with `extra`."""


class AttemptLogger(logging.LoggerAdapter[logging.Logger]):
    """Adds the attempt's ids to every record. An `extra` of the call stands beside them."""

    def __init__(
        self,
        name: str,
        ids: Mapping[str, object],
        *,
        keep: Callable[[LogRecord], None] | None = None,
        level: int = logging.INFO,
    ) -> None:
        """A logger of this name, which `keep`, if it is given, is told from `level` on, whatever the process logs.

        Args:
            keep: takes a record at once, from any thread, and does not raise.
        """
        logger = logging.getLogger(name)
        super().__init__(logger if keep is None else _Kept(logger, keep, level, frozenset(ids)), dict(ids))

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """See `logging.LoggerAdapter.process`."""
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **(self.extra or {})}
        return msg, kwargs


class _Kept(logging.Logger):
    """A logger before another: what it keeps does not depend on how that one is configured, nor the other way round."""

    def __init__(
        self, behind: logging.Logger, keep: Callable[[LogRecord], None], level: int, ids: frozenset[str]
    ) -> None:
        super().__init__(behind.name)
        self._behind = behind
        self._keep = keep
        self._kept_from = level
        self._ids = ids

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the standard library's name
        return level >= self._kept_from or self._behind.isEnabledFor(level)

    def getEffectiveLevel(self) -> int:  # noqa: N802 - the standard library's name
        return min(self._kept_from, self._behind.getEffectiveLevel())

    def handle(self, record: logging.LogRecord) -> None:
        if record.levelno >= self._kept_from:
            self._keep(_record_of(record, self._ids))
        if self._behind.isEnabledFor(record.levelno):
            self._behind.handle(record)


def cut(text: str, most: int) -> str:
    """`text`, or as much of its beginning as may be kept, and how much is missing."""
    kept = _fitting(text[:most], lambda part, length: part[:length])
    return kept if len(kept) == len(text) else f"{kept} … ({len(text) - len(kept)} more characters)"


def _cut_front(text: str, most: int) -> str:
    kept = _fitting(text[-most:], lambda part, length: part[len(part) - length :])
    return kept if len(kept) == len(text) else f"({len(text) - len(kept)} characters before) … {kept}"


def _fitting(text: str, shorten: Callable[[str, int], str]) -> str:
    """`text` as UTF-8 can hold it, shortened until its JSON is as short as it may be."""
    text = text.encode("utf-8", "replace").decode()
    while (size := len(json.dumps(text))) > _MAX_TEXT_BYTES:
        text = shorten(text, len(text) * _MAX_TEXT_BYTES // size)
    return text


def _record_of(record: logging.LogRecord, ids: frozenset[str]) -> LogRecord:
    """A record as it is kept. Whatever cannot be had of it is said to be missing: logging never fails a task."""
    try:
        return LogRecord(
            timestamp_ms=_moment(record),
            level=_level(record.levelno),
            message=cut(_message(record), MAX_MESSAGE),
            fields=_fields(record, ids),
            exception=_exception(record),
        )
    except Exception as error:  # noqa: BLE001 - user code: a `__str__`, a `__repr__`
        message = f"a record that cannot be kept: {type(error).__name__}"
        return LogRecord(timestamp_ms=_moment(record), level=_level(record.levelno), message=message)


def _moment(record: logging.LogRecord) -> EpochMs:
    return EpochMs(int(record.created * 1_000))


def _level(number: int) -> LogLevel:
    """The level, or of one that somebody has added the nearest below."""
    known = (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO)
    return next((LogLevel(logging.getLevelName(one)) for one in known if number >= one), LogLevel.DEBUG)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError) as error:  # the arguments do not fit
        return f"{record.msg} (its arguments do not fit: {error})"


def _fields(record: logging.LogRecord, ids: frozenset[str]) -> JsonObject | None:
    given = {
        name: _as_json(value)
        for name, value in vars(record).items()
        if name not in _ATTRIBUTES and name not in ids
    }
    size = len(json.dumps(given))
    return {"omitted": f"{size} bytes of fields"} if size > _MAX_FIELDS_BYTES else given or None


def _as_json(value: object) -> JsonValue:
    """A value as JSON; what has no such form, or a deep one, as its text."""
    try:
        dumped = json.dumps(value, default=str, allow_nan=False, ensure_ascii=False)
        text = dumped.encode("utf-8", "replace").decode()
        parsed: JsonValue = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return _fitting(repr(value), lambda part, length: part[:length])
    return text if is_deeper(parsed, _MAX_DEPTH) else parsed


def _exception(record: logging.LogRecord) -> ErrorInfo | None:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return None
    stack = "".join(traceback.format_exception(error))
    return ErrorInfo(
        type=cut(type(error).__name__[:_MAX_NAME], _MAX_NAME),
        message=cut(str(error), MAX_ERROR),
        stack=_cut_front(stack, MAX_STACK),
    )
