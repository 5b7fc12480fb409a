"""Durations as authors write them: seconds or a timedelta."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TypeAlias

from flowstrand.errors import InvalidDefinition

Duration: TypeAlias = timedelta | float
"""A timedelta, or seconds."""

MAX_MS = 100 * 365 * 86_400_000
"""A hundred years: what is longer is taken for a mistake in the unit."""


def to_ms(duration: Duration, what: str) -> int:
    """Whole milliseconds, rounded up, so that nothing happens early.

    Raises:
        InvalidDefinition: it is negative, not finite or over a hundred years; `what` names it in the message.
    """
    seconds = duration.total_seconds() if isinstance(duration, timedelta) else duration
    if type(seconds) not in (int, float) or not math.isfinite(seconds):
        raise InvalidDefinition(f"{what} must be seconds or a timedelta, not {duration!r}")
    if not 0 <= seconds * 1_000 <= MAX_MS:
        raise InvalidDefinition(f"{what} must be between 0 and a hundred years, not {duration!r}")
    return math.ceil(round(seconds * 1_000, 6))


def to_positive_ms(duration: Duration, what: str) -> int:
    """The same, of a duration that must not be 0.

    Raises:
        InvalidDefinition: it is 0, or `to_ms` refuses it.
    """
    duration_ms = to_ms(duration, what)
    if not duration_ms:
        raise InvalidDefinition(f"{what} must be more than 0")
    return duration_ms
