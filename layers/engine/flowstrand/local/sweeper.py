"""`Sweeper`: the schedule's part. Has something done from time to time: open executions woken (law 8), ended ones let go."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_logger = logging.getLogger("flowstrand.local")
_RETRY_S = 1.0


class Sweeper:
    """A thread that sweeps at an interval."""

    def __init__(self, sweep: Callable[[], int], *, interval_ms: int, name: str = "sweeper") -> None:
        """`sweep` does it, and returns how many executions it had to do with."""
        self._sweep = sweep
        self._interval_s = interval_ms / 1_000
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def sweep_until_done(self) -> int:
        """Sweep now, again and again until it succeeds or the sweeper is stopped; how many executions that were."""
        while not self._stopping.is_set():
            try:
                return self._sweep()
            except Exception:
                _logger.exception("the %s failed; trying again", self._thread.name)
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
