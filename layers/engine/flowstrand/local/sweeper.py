"""`Sweeper`: the schedule's part. Wakes every open execution at start-up and from time to time (law 8)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_logger = logging.getLogger("flowstrand.local")
_RETRY_S = 1.0


class Sweeper:
    """A thread that sweeps at an interval."""

    def __init__(self, sweep: Callable[[], int], *, interval_ms: int) -> None:
        """`sweep` wakes every open execution and returns how many there were."""
        self._sweep = sweep
        self._interval_s = interval_ms / 1_000
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def sweep_until_done(self) -> int:
        """Sweep now, again and again until it succeeds or the sweeper is stopped; how many executions were open."""
        while not self._stopping.is_set():
            try:
                return self._sweep()
            except Exception:
                _logger.exception("the sweep failed; trying again")
                self._stopping.wait(_RETRY_S)
        return 0

    def start(self) -> None:
        """Begin to sweep at the interval; the first time after one."""
        self._thread.start()

    def begin_to_stop(self) -> None:
        """Sweep no more."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait up to `timeout_s` for a sweep that is under way."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval_s):
            self.sweep_until_done()
