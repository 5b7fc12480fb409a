"""Timers in this process's memory, for the local server and tests.

A timer is a control message with a long delay: the control queue's heap is what fires it. Both are empty after a
restart and are rebuilt from the log: the start-up sweep wakes every open execution, and handling a wake arms every
timer, lease end and deadline that is still open.
"""

from __future__ import annotations

import heapq
import threading

from flowstrand.queues.in_process import InProcessControlQueue
from flowstrand.queues.messages import Timed
from flowstrand.service.clock import Clock


class InProcessTimers:
    """`Timers` over an `InProcessControlQueue`. Thread-safe.

    Every sweep arms every open timer again. What is armed for the same moment already is not armed twice, or a timer
    of thirty days would be thousands of messages by the time it fires.
    """

    def __init__(self, clock: Clock, control_queue: InProcessControlQueue) -> None:
        """`control_queue` must read the same clock."""
        self._clock = clock
        self._control = control_queue
        self._lock = threading.Lock()
        self._armed: set[tuple[int, str]] = set()
        self._moments: list[tuple[int, str]] = []

    def at(self, due: Timed, at_ms: int) -> None:
        """Send `due` when the clock reads `at_ms`, or now if that has passed."""
        now_ms = self._clock.now_ms()
        if at_ms <= now_ms or self._arm((at_ms, due.name), now_ms):
            self._control.send([due], delay_ms=max(0, at_ms - now_ms))

    def _arm(self, moment: tuple[int, str], now_ms: int) -> bool:
        """Whether this moment was not armed yet. A lease that a heartbeat moved has a moment of its own."""
        with self._lock:
            while self._moments and self._moments[0][0] <= now_ms:
                self._armed.discard(heapq.heappop(self._moments))
            if moment in self._armed:
                return False
            self._armed.add(moment)
            heapq.heappush(self._moments, moment)
            return True
