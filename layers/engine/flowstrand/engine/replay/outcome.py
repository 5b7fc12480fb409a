"""`Outcome`: how delivery left the code: waiting, or ended."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import ErrorInfo, SuspendType, WaitGroup
from flowstrand.engine.events.vocabulary import FailureType
from flowstrand.errors import (
    DeterminismViolation,
    NonRetryableError,
    PayloadTooLarge,
    RemoteFailure,
    TooManyOpenOperations,
)
from flowstrand.jsonvalue import JsonValue

_TYPE_CHARACTERS = 200
_STACK_CHARACTERS = 4_000
_MESSAGE_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """The code waits for any of these groups; `suspend_type` says what it waits for first."""

    groups: tuple[WaitGroup, ...]
    suspend_type: SuspendType


@dataclass(frozen=True, slots=True)
class Returned:
    """The code returned this."""

    output: JsonValue


@dataclass(frozen=True, slots=True)
class Continued:
    """The code goes on as another execution, with this input.

    Attributes:
        untaken: sequences of signals that were delivered and that the code has not taken.
    """

    input: JsonValue
    untaken: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The code let its cancellation through."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Raised:
    """The code raised, or cannot go on."""

    error: ErrorInfo
    failure_type: str


Outcome: TypeAlias = Waiting | Returned | Continued | Cancelled | Raised


def raised(failure: BaseException) -> Raised:
    """The outcome of code that ended with `failure`."""
    match failure:
        case DeterminismViolation():
            kind = FailureType.DETERMINISM_VIOLATION
        case TooManyOpenOperations() | PayloadTooLarge():
            kind = FailureType.LIMIT_EXCEEDED
        case _:
            kind = FailureType.ERROR
    return Raised(error_info(failure), kind.value)


def error_info(failure: BaseException, *, non_retryable: Collection[str] = ()) -> ErrorInfo:
    """An exception as data. A failure that came from elsewhere keeps its own class as its type.

    Args:
        non_retryable: names of classes; trying again cannot help after an exception of one of them or of one derived from it.
    """
    message = failure.message if isinstance(failure, RemoteFailure) else str(failure)
    stack = "".join(traceback.format_exception(failure))
    names = {base.__name__ for base in type(failure).__mro__}
    retryable = False if isinstance(failure, NonRetryableError) or names & set(non_retryable) else None
    return clipped(ErrorInfo(type=type(failure).__name__, message=message, stack=stack, retryable=retryable))


def clipped(error: ErrorInfo) -> ErrorInfo:
    """`error`, cut to what a log keeps of it: the beginning of its message, the end of its stack."""
    return ErrorInfo(
        type=error.type[:_TYPE_CHARACTERS],
        message=error.message[:_MESSAGE_CHARACTERS],
        stack=error.stack[-_STACK_CHARACTERS:] if error.stack else None,
        retryable=error.retryable,
    )
