"""`Deadline`: how long somebody who waits for a result still does."""

from __future__ import annotations

import time

_LONGEST_WAIT_S = 20


class Deadline:
    """How much of a caller's timeout is left."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s
        self._begun_s = time.monotonic()

    def next_wait_s(self, execution_id: str) -> int:
        """Whole seconds to ask the next long-poll for, at least 1.

        Raises:
            TimeoutError: nothing is left.
        """
        if self._timeout_s is None:
            return _LONGEST_WAIT_S
        left = self._timeout_s - (time.monotonic() - self._begun_s)
        if left <= 0:
            raise TimeoutError(f"{execution_id} is still open after {self._timeout_s:g} s")
        return max(1, min(_LONGEST_WAIT_S, int(left)))
