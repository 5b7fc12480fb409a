"""`Machinery`: what AWS does behind the handlers, started and stopped together: queue pollers, stream, schedule, workers."""

from __future__ import annotations

import threading

from flowstrand.local.composition import Composition
from flowstrand.local.embedded_worker import EmbeddedWorker
from flowstrand.local.functions import Functions
from flowstrand.local.resumer_pump import ResumerPump
from flowstrand.local.sweeper import Sweeper
from flowstrand.local.table_stream import TableStream

_SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
_GRACE_S = 2.0
"""How long each part may take to end."""


class Machinery:
    """Runs beside the web server."""

    def __init__(self, functions: Functions, composed: Composition, worker: EmbeddedWorker | None) -> None:
        """`worker` is None where the app's tasks run elsewhere."""
        settings = composed.services.settings
        self._composed = composed
        self._worker = worker
        self._pump = ResumerPump(composed.control, functions, visibility_ms=settings.wake_visibility_ms)
        self._table_stream: TableStream = composed.table_stream
        self._sweeper = Sweeper(
            lambda: functions.invoke("projector", _SCHEDULED)["woken"], interval_ms=settings.sweep_interval_ms
        )
        self._janitor = Sweeper(
            lambda: functions.invoke("janitor", _SCHEDULED)["expired"],
            interval_ms=settings.janitor_interval_ms,
            name="janitor",
        )
        self._is_ready = threading.Event()

    @property
    def is_ready(self) -> bool:
        """Whether everything that was open when the last server ended is on its way again."""
        return self._is_ready.is_set()

    def start(self) -> None:
        """Start every part; returns when the first sweep is done."""
        self._table_stream.start()
        self._pump.start()
        self._sweeper.sweep_until_done()
        self._sweeper.start()
        self._janitor.start()
        if self._worker is not None:
            self._worker.start()
        self._is_ready.set()

    def begin_to_stop(self) -> None:
        """Take nothing new, and let nobody wait any longer; returns at once."""
        self._is_ready.clear()
        if self._worker is not None:
            self._worker.begin_to_stop()
        self._sweeper.begin_to_stop()
        self._janitor.begin_to_stop()
        self._composed.stop_waiting()

    def drain(self) -> None:
        """Take nothing new, and give the tasks that run here a little time, while the server still takes their reports."""
        self.begin_to_stop()
        if self._worker is not None:
            self._worker.join(_GRACE_S)

    def stop(self) -> None:
        """Wait a little for what is still being done; whatever is not done by then is done after the next start."""
        self.begin_to_stop()
        if self._worker is not None:
            self._worker.join(_GRACE_S)
        self._sweeper.join(_GRACE_S)
        self._janitor.join(_GRACE_S)
        self._pump.stop(_GRACE_S)
        self._table_stream.stop(_GRACE_S)
