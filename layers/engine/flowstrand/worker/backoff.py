"""`Backoff`: how long to wait before asking a server again that could not answer."""

from __future__ import annotations

import random
from collections.abc import Callable


class Backoff:
    """Doubles from `initial_s` to `max_s`, less up to half at random, so that workers do not come back together."""

    def __init__(
        self, *, initial_s: float = 0.25, max_s: float = 30.0, draw: Callable[[], float] = random.random
    ) -> None:
        """`draw` gives numbers from 0 to 1."""
        self.initial_s = initial_s
        self._max_s = max_s
        self._draw = draw
        self._failures = 0

    def reset(self) -> None:
        """The server answered."""
        self._failures = 0

    def next_s(self, at_least_s: float | None = None) -> float:
        """Seconds to wait after one more failure; `at_least_s` is what the server asked for."""
        longest_s = min(self._max_s, self.initial_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return max(at_least_s or 0.0, longest_s * (1 - self._draw() / 2))
