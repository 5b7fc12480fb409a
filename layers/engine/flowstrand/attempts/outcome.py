"""`Outcome`: how one attempt ended, ready to be reported."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.errors import NonRetryableError, NotSerializable
from flowstrand.jsonvalue import JsonValue

_MAX_MESSAGE, _MAX_STACK = 8_000, 16_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The task returned this."""

    output: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The task raised.

    Attributes:
        type: the exception's class name.
        stack: a traceback, its innermost part.
        retryable: whether another attempt may help.
    """

    type: str
    message: str
    stack: str | None = None
    retryable: bool = True

    @classmethod
    def of(cls, error: BaseException, *, non_retryable: Collection[str] = ()) -> Failed:
        """An exception as a failure.

        Not worth retrying are one that says so, values that do not fit their types, and whatever is of a class that
        `non_retryable` names or that is derived from one.
        """
        names = {base.__name__ for base in type(error).__mro__}
        unwanted = isinstance(error, NonRetryableError | NotSerializable) or not names.isdisjoint(non_retryable)
        return cls(
            type=type(error).__name__[:256],
            message=str(error)[:_MAX_MESSAGE],
            stack="".join(traceback.format_exception(error))[-_MAX_STACK:],
            retryable=not unwanted,
        )


Outcome: TypeAlias = Completed | Failed
