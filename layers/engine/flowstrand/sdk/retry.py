"""`RetryPolicy` as authors write it: in attempts and durations, where the engine counts retries and milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flowstrand.engine.events.vocabulary import RetryPolicy as EngineRetryPolicy
from flowstrand.errors import InvalidDefinition
from flowstrand.sdk.duration import Duration, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often a task is tried, and how long after a failure: exponential backoff with jitter, saturating.

    Attributes:
        max_attempts: the first attempt included; 1 means no retry.
        initial_interval: seconds or a timedelta before attempt 2.
        multiplier: what each further interval is multiplied by, at least 1.
        max_interval: no interval is longer.
        jitter: the share of the interval, 0 to 1, that is drawn at random below it.

    Raises:
        InvalidDefinition: a value is out of range.
    """

    max_attempts: int = 4
    initial_interval: Duration = timedelta(seconds=1)
    multiplier: float = 2.0
    max_interval: Duration = timedelta(seconds=60)
    jitter: float = 0.2

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise InvalidDefinition(f"max_attempts must be a whole number from 1, not {self.max_attempts!r}")
        if not 1 <= self.multiplier < float("inf"):
            raise InvalidDefinition(f"multiplier must be at least 1, not {self.multiplier!r}")
        if not 0 <= self.jitter <= 1:
            raise InvalidDefinition(f"jitter must be between 0 and 1, not {self.jitter!r}")
        to_ms(self.initial_interval, "initial_interval")
        to_ms(self.max_interval, "max_interval")

    def engine(self) -> EngineRetryPolicy:
        """The same policy as it is recorded."""
        return EngineRetryPolicy(
            max_retries=self.max_attempts - 1,
            initial_ms=to_ms(self.initial_interval, "initial_interval"),
            multiplier=self.multiplier,
            max_ms=to_ms(self.max_interval, "max_interval"),
            jitter=self.jitter,
        )
