"""A clock that moves only when a test says so."""

from __future__ import annotations


class ManualClock:
    """Starts at a round moment in 2026; sleeping moves it."""

    def __init__(self, now_ms: int = 1_795_435_200_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def sleep_ms(self, duration_ms: float) -> None:
        self.advance(round(duration_ms))

    def advance(self, duration_ms: int) -> None:
        self._now_ms += duration_ms
