"""`Deadline`: how much of a caller's timeout is left."""

from __future__ import annotations

import math
import time

LONGEST_WAIT_S = 20
"""How long the server holds a request at most."""


class Deadline:
    """How much of a caller's timeout is left; None is for ever."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._begun_s = time.monotonic()

    @property
    def is_near(self) -> bool:
        """Whether less is left than the server may hold a request: what waits longer would miss it."""
        return self.left_s < LONGEST_WAIT_S

    @property
    def left_s(self) -> float:
        """Seconds; infinite for ever, and negative when it has passed."""
        if self._timeout_s is None:
            return math.inf
        return self._timeout_s - (time.monotonic() - self._begun_s)

    def next_wait_s(self, execution_id: str) -> int:
        """Whole seconds to ask the next long-poll for, at least 1.

        Raises:
            TimeoutError: nothing is left.
        """
        left_s = self.left_s
        if left_s <= 0:
            raise TimeoutError(f"{execution_id} is still open after {self._timeout_s:g} s")
        return max(1, int(min(LONGEST_WAIT_S, left_s)))
