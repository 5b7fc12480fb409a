"""`StopClock`: the machine's clock, whose sleepers can be told that the server is stopping."""

from __future__ import annotations

import threading
import time

from flowstrand.errors import Unavailable


class StopClock:
    """A `Clock`. After `stop`, nobody sleeps: a waiting request is answered 503, and its client asks the next server."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        return time.time_ns() // 1_000_000

    def sleep_ms(self, duration_ms: float) -> None:
        """Block this thread.

        Raises:
            Unavailable: the server is stopping.
        """
        if self._stopped.wait(max(0.0, duration_ms) / 1_000):
            raise Unavailable("the server is stopping", retry_after_s=1)

    def stop(self) -> None:
        """End every sleep, now and from now on."""
        self._stopped.set()
