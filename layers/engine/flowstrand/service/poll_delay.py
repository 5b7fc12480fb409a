"""How long a reader waits before it looks at a log again."""

from __future__ import annotations

FIRST_MS = 100.0
LONGEST_MS = 500.0
_GROWTH = 1.5


class PollDelay:
    """100 ms after activity, backing off to 500 ms while nothing comes."""

    def __init__(self) -> None:
        self._next_ms = FIRST_MS

    def next_ms(self) -> float:
        """The next delay, in milliseconds."""
        delay_ms = self._next_ms
        self._next_ms = min(delay_ms * _GROWTH, LONGEST_MS)
        return delay_ms

    def reset(self) -> None:
        """Something came."""
        self._next_ms = FIRST_MS
