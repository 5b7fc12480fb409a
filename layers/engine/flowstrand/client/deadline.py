"""`Deadline`: how much of a caller's timeout is left."""

from __future__ import annotations

import time

LONGEST_WAIT_S = 20
"""How long the server holds a request at most."""


class Deadline:
    """How much of a caller's timeout is left; None is for ever."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._begun_s = time.monotonic()

    def next_wait_s(self, execution_id: str) -> int:
        """Whole seconds to ask the next long-poll for, at least 1.

        Raises:
            TimeoutError: nothing is left.
        """
        if self._timeout_s is None:
            return LONGEST_WAIT_S
        left = self._timeout_s - (time.monotonic() - self._begun_s)
        if left <= 0:
            raise TimeoutError(f"{execution_id} is still open after {self._timeout_s:g} s")
        return max(1, min(LONGEST_WAIT_S, int(left)))
