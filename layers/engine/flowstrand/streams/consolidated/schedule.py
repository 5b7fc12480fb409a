"""`LookSchedule`: when each open log of a tree is looked at again.

A log is looked at 100 ms after it has grown, then less and less often. However many are open, all those that stay quiet are looked
at twenty times a second together: ten of them every 500 ms, a hundred every five seconds. What one response may cost a store is
bounded by that and by what happens in the tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowstrand.service.poll_delay import FIRST_MS, LONGEST_MS
from flowstrand.streams.consolidated.line import Line

EACH_MS = 50
"""For each open log, how much longer every other one may wait."""
_GROWTH = 1.5


class LookSchedule:
    """Over the lines of one merge."""

    def __init__(self) -> None:
        self._delays: dict[int, float] = {}
        self._due: dict[int, float] = {}

    def hasten(self, line: Line, now_ms: float) -> None:
        """Something has come of this line, or is about to."""
        self._delays[line.number] = FIRST_MS
        self._due[line.number] = now_ms + FIRST_MS

    def next_ms(self, lines: Sequence[Line], now_ms: float) -> float:
        """When the first of these is due."""
        for line in lines:
            if line.number not in self._due:
                self.hasten(line, now_ms)
        return min((self._due[line.number] for line in lines), default=now_ms + LONGEST_MS)

    def due(self, lines: Sequence[Line], now_ms: float) -> list[Line]:
        """Those that are to be looked at now; each will be due again later than the last time."""
        longest_ms = max(LONGEST_MS, EACH_MS * len(lines))
        found = [line for line in lines if self._due.get(line.number, now_ms) <= now_ms]
        for line in found:
            delay_ms = min(self._delays.get(line.number, FIRST_MS) * _GROWTH, longest_ms)
            self._delays[line.number] = delay_ms
            self._due[line.number] = now_ms + delay_ms
        return found
