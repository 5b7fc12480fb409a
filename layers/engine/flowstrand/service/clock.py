"""The injected clock. Epoch milliseconds inside; nothing else in the package asks what time it is."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Time, as handlers see it."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        ...

    def sleep_ms(self, duration_ms: float) -> None:
        """Wait (between retries of a conflicting append, for instance)."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def sleep_ms(self, duration_ms: float) -> None:
        """Block this thread."""
        time.sleep(duration_ms / 1_000)
