"""`RetryPolicy` as authors write it: in attempts and durations, where the engine counts retries and milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import RetryPolicy as EngineRetryPolicy
from flowstrand.errors import InvalidDefinition
from flowstrand.sdk.duration import Duration, to_ms

_LONGEST_NAME = 256

ErrorClass: TypeAlias = type[BaseException] | str
"""An exception class, or its name: what the log and workers in other languages know of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often something is tried, and how long after a failure: exponential backoff with jitter, saturating.

    Attributes:
        max_attempts: the first attempt included; 1 means no retry.
        initial: seconds or a timedelta before attempt 2.
        multiplier: what each further interval is multiplied by, at least 1.
        maximum: no interval is longer.
        jitter: the share of the interval, 0 to 1, that is drawn at random below it.
        non_retryable: exception classes, or their names, after which there is no further attempt. An exception of a class
            derived from one of them counts as well.

    Raises:
        InvalidDefinition: a value is out of range.
    """

    max_attempts: int = 4
    initial: Duration = timedelta(seconds=1)
    multiplier: float = 2.0
    maximum: Duration = timedelta(seconds=60)
    jitter: float = 0.2
    non_retryable: Sequence[ErrorClass] = ()

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise InvalidDefinition(f"max_attempts must be a whole number from 1, not {self.max_attempts!r}")
        if not 1 <= self.multiplier < float("inf"):
            raise InvalidDefinition(f"multiplier must be at least 1, not {self.multiplier!r}")
        if not 0 <= self.jitter <= 1:
            raise InvalidDefinition(f"jitter must be between 0 and 1, not {self.jitter!r}")
        to_ms(self.initial, "initial")
        to_ms(self.maximum, "maximum")
        self._names()

    def engine(self) -> EngineRetryPolicy:
        """The same policy as it is recorded."""
        return EngineRetryPolicy(
            max_retries=self.max_attempts - 1,
            initial_ms=to_ms(self.initial, "initial"),
            multiplier=self.multiplier,
            max_ms=to_ms(self.maximum, "maximum"),
            jitter=self.jitter,
            non_retryable=self._names() or None,
        )

    def _names(self) -> tuple[str, ...]:
        if isinstance(self.non_retryable, str | type):
            raise InvalidDefinition("non_retryable is a sequence of exception classes or names, not one of them")
        return tuple(sorted({_name_of(error) for error in self.non_retryable}))


def _name_of(error: object) -> str:
    if isinstance(error, type) and issubclass(error, BaseException):
        return error.__name__
    if isinstance(error, str) and 0 < len(error) <= _LONGEST_NAME:
        return error
    raise InvalidDefinition(f"non_retryable holds exception classes or their names, not {error!r}")
