"""`VisibilityQueue`: an in-memory queue with the promises of a standard SQS queue, and no polling.

At least once: a message that was taken and not removed comes again after its visibility timeout. Delays, visibility
timeouts and releases are one thing, the moment a message becomes visible, and live in one heap.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from flowstrand.dataclass import dataclass
from flowstrand.service.clock import Clock

M = TypeVar("M", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken(Generic[M]):
    """A message and the receipt of this one delivery.

    Attributes:
        receive_count: how often it has been delivered, this time included.
    """

    message: M
    receipt: str
    receive_count: int


@dataclass(slots=True, kw_only=True)
class _Entry(Generic[M]):
    message: M
    visible_at_ms: int
    receive_count: int = 0


class VisibilityQueue(Generic[M]):
    """Thread-safe. Among messages that are visible, higher priorities first; first in, first out among equals."""

    def __init__(
        self,
        clock: Clock,
        *,
        visibility_ms: int,
        unique: bool = False,
        priority: Callable[[M], int] = lambda _: 0,
    ) -> None:
        """Make an empty queue.

        Args:
            visibility_ms: when a message that was taken and not removed comes again.
            unique: drop a message equal to one that waits, keeping the earlier moment of the two.
            priority: of a message; higher ones come first.
        """
        self._clock = clock
        self._visibility_ms = visibility_ms
        self._unique = unique
        self._priority = priority
        self._changed = threading.Condition()
        self._closed = False
        self._next_id = 0
        self._entries: dict[int, _Entry[M]] = {}
        self._waiting: dict[M, int] = {}
        # (visible at, id) of what is to come, and behind its negative priority of what has become visible. Stale ones,
        # whose entry is gone or has another moment, are skipped when they surface.
        self._heap: list[tuple[int, int]] = []
        self._visible: list[tuple[int, int, int]] = []

    def put(self, messages: Sequence[M], *, delay_ms: int = 0) -> None:
        """Add `messages`, visible after `delay_ms`."""
        with self._changed:
            visible_at_ms = self._clock.now_ms() + max(0, delay_ms)
            for message in messages:
                self._put(message, visible_at_ms)
            self._changed.notify_all()

    def take(self, *, limit: int, wait_s: float = 0) -> list[Taken[M]]:
        """Up to `limit` visible messages; waits up to `wait_s` seconds for the first.

        The wait sleeps until something is put or comes due. A clock that stands still (a test's) ends it early.
        """
        deadline_ms = self._clock.now_ms() + round(wait_s * 1_000)
        with self._changed:
            while not (taken := self._take_visible(limit)) and not self._closed:
                if not self._wait_until(deadline_ms):
                    break
            return taken

    def remove(self, receipt: str) -> None:
        """The message is dealt with. A receipt of an earlier delivery than the last does nothing."""
        with self._changed:
            identity = self._delivered(receipt)
            if identity is not None:
                del self._entries[identity]

    def release(self, receipt: str, *, delay_ms: int) -> None:
        """Make a taken message visible `delay_ms` from now. A receipt of an earlier delivery does nothing."""
        with self._changed:
            identity = self._delivered(receipt)
            if identity is not None:
                self._schedule(identity, self._clock.now_ms() + max(0, delay_ms))
                self._changed.notify_all()

    def next_at_ms(self) -> int | None:
        """When the next message is or becomes visible, in epoch milliseconds; None when there is none."""
        with self._changed:
            self._drop_stale()
            moments = [self._visible[0][1]] if self._visible else []
            moments += [self._heap[0][0]] if self._heap else []
            return min(moments, default=None)

    def close(self) -> None:
        """Every waiting `take`, and every later one that would wait, returns at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __len__(self) -> int:
        """How many messages are waiting or taken and not removed."""
        with self._changed:
            return len(self._entries)

    def _put(self, message: M, visible_at_ms: int) -> None:
        waiting = self._waiting.get(message) if self._unique else None
        if waiting is not None:
            if visible_at_ms < self._entries[waiting].visible_at_ms:
                self._schedule(waiting, visible_at_ms)
            return
        identity, self._next_id = self._next_id, self._next_id + 1
        self._entries[identity] = _Entry(message=message, visible_at_ms=visible_at_ms)
        if self._unique:
            self._waiting[message] = identity
        self._schedule(identity, visible_at_ms)

    def _schedule(self, identity: int, visible_at_ms: int) -> None:
        self._entries[identity].visible_at_ms = visible_at_ms
        heapq.heappush(self._heap, (visible_at_ms, identity))

    def _take_visible(self, limit: int) -> list[Taken[M]]:
        now_ms = self._clock.now_ms()
        taken: list[Taken[M]] = []
        self._surface(now_ms)
        while self._visible and len(taken) < limit:
            _, _, identity = heapq.heappop(self._visible)
            taken.append(self._deliver(identity, now_ms))
            self._drop_stale()
        return taken

    def _surface(self, now_ms: int) -> None:
        """Put what has become visible in the order in which it is taken."""
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now_ms:
            visible_at_ms, identity = heapq.heappop(self._heap)
            priority = self._priority(self._entries[identity].message)
            heapq.heappush(self._visible, (-priority, visible_at_ms, identity))
            self._drop_stale()

    def _deliver(self, identity: int, now_ms: int) -> Taken[M]:
        entry = self._entries[identity]
        entry.receive_count += 1
        if self._waiting.get(entry.message) == identity:
            del self._waiting[entry.message]
        # Never at this same instant, or one call could deliver the message twice.
        self._schedule(identity, now_ms + max(1, self._visibility_ms))
        receipt = f"{identity}.{entry.receive_count}"
        return Taken(message=entry.message, receipt=receipt, receive_count=entry.receive_count)

    def _delivered(self, receipt: str) -> int | None:
        identity, _, count = receipt.partition(".")
        entry = self._entries.get(int(identity))
        return int(identity) if entry is not None and entry.receive_count == int(count) else None

    def _drop_stale(self) -> None:
        while self._heap and self._is_stale(*self._heap[0]):
            heapq.heappop(self._heap)
        while self._visible and self._is_stale(*self._visible[0][1:]):
            heapq.heappop(self._visible)

    def _is_stale(self, visible_at_ms: int, identity: int) -> bool:
        entry = self._entries.get(identity)
        return entry is None or entry.visible_at_ms != visible_at_ms

    def _wait_until(self, deadline_ms: int) -> bool:
        """Sleep until a change, the next moment or the deadline; False when there is no point in waiting longer."""
        now_ms = self._clock.now_ms()
        if now_ms >= deadline_ms:
            return False
        wake_at_ms = min(self._heap[0][0], deadline_ms) if self._heap else deadline_ms
        notified = self._changed.wait((wake_at_ms - now_ms) / 1_000)
        return notified or self._clock.now_ms() > now_ms
