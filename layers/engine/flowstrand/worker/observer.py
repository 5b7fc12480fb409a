"""`WorkerObserver`: hooks on what a worker does, for metrics, logs and tests."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.outcome import Completed, Failed

_log = logging.getLogger("flowstrand.worker")


class WorkerObserver:
    """Derive from it and override what is of interest; every hook does nothing.

    Hooks are called on the worker's event loop, in the order of what happens, and should return at once: what takes time, they
    hand on. One that raises is logged, and the worker goes on.
    """

    def on_registered(self, worker_id: str, queues: Sequence[str]) -> None:
        """The server knows the worker, for the first time or again."""

    def on_poll(self, queue: str, claimed: int) -> None:
        """A poll was answered, with that many tasks."""

    def on_queue_paused(self, queue: str) -> None:
        """The server says that an operator has paused the queue; said once, until it hands out tasks again."""

    def on_task_started(self, task: ClaimedTask) -> None:
        """The code of an attempt begins."""

    def on_task_finished(self, task: ClaimedTask, outcome: Completed, duration_s: float) -> None:
        """The attempt's output is recorded. `duration_s` counts from its claim."""

    def on_task_failed(self, task: ClaimedTask, outcome: Failed, duration_s: float) -> None:
        """The attempt's failure is recorded; the server decides whether another one follows."""

    def on_task_lost(self, task: ClaimedTask) -> None:
        """The attempt is no longer this worker's: it was cancelled, took too long, or the worker gave it up."""

    def on_heartbeat_lost(self, task: ClaimedTask, error: Exception) -> None:
        """A heartbeat was not answered, tried several times. The attempt goes on, and is lost when its lease ends."""

    def on_reconnecting(self, queue: str, error: Exception, delay_s: float) -> None:
        """A request failed; the next one follows after `delay_s`."""

    def on_paused(self, queues: Sequence[str]) -> None:
        """The worker takes no more tasks from these queues."""

    def on_resumed(self, queues: Sequence[str]) -> None:
        """It does again."""

    def on_draining(self) -> None:
        """The worker was told to stop: no more polls; what runs may finish."""

    def on_stopped(self) -> None:
        """Nothing runs any more."""


class Observers:
    """Tells several observers, whatever they raise."""

    def __init__(self, observers: Sequence[WorkerObserver]) -> None:
        self._observers = tuple(observers)

    def tell(self, call: Callable[[WorkerObserver], None]) -> None:
        """Call one hook of each."""
        for observer in self._observers:
            try:
                call(observer)
            except Exception:  # noqa: BLE001 - whatever an observer raises, the worker goes on
                _log.exception("a hook of %s failed", type(observer).__name__)
