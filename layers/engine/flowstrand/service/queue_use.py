"""`QueueUse`: how much of a limited queue is in use. Pure: a token bucket, and the attempts that run."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import field, replace

from flowstrand.dataclass import dataclass
from flowstrand.service.queue_controls import QueueControl


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueUse:
    """What is counted of a limited queue.

    Attributes:
        tokens: in the bucket at `at_ms`. A full one holds a second's worth, and at least one; it fills as fast as attempts
            may begin. None for a bucket that was never used: a full one.
        running: until when each attempt is somebody's, as far as is known, by the names that `queue_limits` gives them.
    """

    tokens: float | None = None
    at_ms: int = 0
    running: Mapping[str, int] = field(default_factory=dict)

    def room(self, control: QueueControl, now_ms: int) -> int | None:
        """How many attempts may begin now; None for any number."""
        rooms = []
        if control.max_tasks_per_second is not None:
            rooms.append(math.floor(self._tokens(control.max_tasks_per_second, now_ms) + 1e-9))
        if control.max_concurrent is not None:
            rooms.append(control.max_concurrent - len(self.running))
        return max(0, min(rooms)) if rooms else None

    def room_in_ms(self, control: QueueControl, now_ms: int) -> int | None:
        """When, from now, the bucket holds a token again; None where it is not the bucket that there is none of."""
        rate = control.max_tasks_per_second
        missing = 0.0 if rate is None else 1.0 - self._tokens(rate, now_ms)
        return None if rate is None or missing <= 0 else math.ceil(missing * 1_000 / rate)

    def begun(self, control: QueueControl, attempts: Collection[str], now_ms: int, until_ms: int) -> QueueUse:
        """After `attempts` have begun."""
        tokens = None
        if control.max_tasks_per_second is not None:
            tokens = self._tokens(control.max_tasks_per_second, now_ms) - len(attempts)
        running = (
            {**self.running, **dict.fromkeys(attempts, until_ms)} if control.max_concurrent is not None else {}
        )
        return QueueUse(tokens=tokens, at_ms=now_ms, running=running)

    def not_begun(self, attempts: Collection[str]) -> QueueUse:
        """After some that `begun` counted have not begun after all."""
        given_back = None if self.tokens is None else self.tokens + len(attempts)
        return replace(self.ended(attempts), tokens=given_back)

    def ended(self, attempts: Collection[str]) -> QueueUse:
        """After `attempts` have ended."""
        return replace(self, running={name: at for name, at in self.running.items() if name not in attempts})

    def extended(self, until_ms: Mapping[str, int]) -> QueueUse:
        """After more was heard of some attempts."""
        return replace(self, running={**self.running, **until_ms})

    def silent(self, now_ms: int) -> list[str]:
        """Attempts that are nobody's any more, unless more was heard of them meanwhile."""
        return [name for name, until_ms in self.running.items() if until_ms <= now_ms]

    def _tokens(self, rate: float, now_ms: int) -> float:
        full = max(1.0, rate)
        if self.tokens is None:
            return full
        return min(full, self.tokens + max(0, now_ms - self.at_ms) * rate / 1_000)
