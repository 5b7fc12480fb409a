"""`Pauses`: how long a reader waits between two connections, as the server wishes and longer after each that brought nothing."""

from __future__ import annotations

_DEFAULT_S, _LONGEST_S = 0.25, 5.0
_MAX_DOUBLINGS = 10
"""After which it is the longest in any case."""


class Pauses:
    """Of one reader.

    Attributes:
        fruitless: connections in a row that have broken without bringing anything.
        usual_s: seconds to wait where nothing is wrong.
    """

    def __init__(self) -> None:
        self.fruitless = 0
        self.usual_s = _DEFAULT_S

    def hint(self, retry_ms: int | None) -> None:
        """What a `retry:` line said, if there was one."""
        if retry_ms is not None:
            self.usual_s = min(retry_ms / 1_000, _LONGEST_S)

    def reset(self) -> None:
        """Something has come."""
        self.fruitless = 0

    def after_failure(self) -> float:
        """Seconds to wait after another connection that has brought nothing."""
        self.fruitless += 1
        return min(self.usual_s * 2.0 ** min(self.fruitless, _MAX_DOUBLINGS), _LONGEST_S)
