"""Exceptions as logs tell them: what they are and where they were raised; of their messages, only those that Flowstrand has written.

A message of anything else may hold what it failed on: an input, a key, a piece of a statement. So may source lines' values,
which tracebacks do not show, and notes, which are left out.
"""

from __future__ import annotations

import traceback
from types import TracebackType

from flowstrand.errors import OperatorError, Unavailable

_MOST_FRAMES = 40
_TELLING = (OperatorError, Unavailable)
"""Whose messages are ours, and name nothing but the stack's own parts."""


def name_of(error: BaseException) -> str:
    """Its class, and the code that AWS or we give it: `ClientError (ThrottlingException)`."""
    code = _code_of(error)
    return f"{type(error).__name__} ({code})" if code else type(error).__name__


def summary(error: BaseException) -> str:
    """Its name, with its message where that may be told."""
    return f"{name_of(error)}: {error}" if _may_be_told(error) else name_of(error)


def trace_of(error: BaseException) -> str:
    """The traceback of an error and of what caused it, without messages that may hold what is nobody's business."""
    return "\n".join(_told(error, set()))


def _told(error: BaseException, seen: set[int]) -> list[str]:
    seen.add(id(error))
    lines: list[str] = []
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and id(cause) not in seen:
        joint = "caused" if error.__cause__ is not None else "was being handled before"
        lines += [*_told(cause, seen), f"which {joint}"]
    lines += _frames(error.__traceback__)
    lines.append(summary(error))
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            lines += [f"  | {line}" for line in _told(inner, seen)]
    return lines


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]


def _may_be_told(error: BaseException) -> bool:
    return isinstance(error, _TELLING) and bool(str(error))


def _code_of(error: BaseException) -> str:
    """What programs branch on: botocore's error code, or ours."""
    response = getattr(error, "response", None)
    if isinstance(response, dict) and isinstance(response.get("Error"), dict):
        return str(response["Error"].get("Code", ""))
    code = getattr(error, "code", None)
    return code if isinstance(code, str) and code.isascii() and code.replace("_", "").isupper() else ""
