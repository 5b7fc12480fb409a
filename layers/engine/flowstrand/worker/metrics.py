"""`WorkerMetrics`: what a worker has done so far, in numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.outcome import Completed, Failed
from flowstrand.dataclass import dataclass
from flowstrand.worker.observer import WorkerObserver


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerMetrics:
    """A snapshot. Everything counts from the worker's start.

    Attributes:
        polls: that were answered; `empty_polls` of them without a task.
        claimed: attempts that were handed to it.
        running: attempts whose code runs now.
        lost: attempts that turned out not to be its own any more.
        busy_s: how long attempts that have ended took, together, from their claims.
        uptime_s: since `run` was called; 0 before.
    """

    registrations: int
    polls: int
    empty_polls: int
    claimed: int
    running: int
    finished: int
    failed: int
    lost: int
    heartbeats_lost: int
    reconnects: int
    busy_s: float
    uptime_s: float


class MetricsObserver(WorkerObserver):
    """Counts."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """`now_s` is a clock that only goes forward."""
        self._now_s = now_s
        self._began_s: float | None = None
        self._counts = dict.fromkeys(
            (
                "registrations",
                "polls",
                "empty_polls",
                "claimed",
                "running",
                "finished",
                "failed",
                "lost",
                "heartbeats_lost",
                "reconnects",
            ),
            0,
        )
        self._busy_s = 0.0
        self._begun: set[str] = set()

    def begin(self) -> None:
        """The worker starts."""
        self._began_s = self._now_s()

    def snapshot(self) -> WorkerMetrics:
        """As it is now."""
        uptime_s = 0.0 if self._began_s is None else self._now_s() - self._began_s
        return WorkerMetrics(**self._counts, busy_s=self._busy_s, uptime_s=uptime_s)

    def on_registered(self, worker_id: str, queues: Sequence[str]) -> None:  # noqa: ARG002 - the hook's
        """See `WorkerObserver`."""
        self._counts["registrations"] += 1

    def on_poll(self, queue: str, claimed: int) -> None:  # noqa: ARG002 - the hook's
        """See `WorkerObserver`."""
        self._counts["polls"] += 1
        self._counts["claimed"] += claimed
        self._counts["empty_polls"] += not claimed

    def on_task_started(self, task: ClaimedTask) -> None:
        """See `WorkerObserver`."""
        self._begun.add(task.lease_token)
        self._counts["running"] += 1

    def on_task_finished(self, task: ClaimedTask, outcome: Completed, duration_s: float) -> None:  # noqa: ARG002 - the hook's
        """See `WorkerObserver`."""
        self._ended("finished", task, duration_s)

    def on_task_failed(self, task: ClaimedTask, outcome: Failed, duration_s: float) -> None:  # noqa: ARG002 - the hook's
        """See `WorkerObserver`."""
        self._ended("failed", task, duration_s)

    def on_task_lost(self, task: ClaimedTask) -> None:
        """See `WorkerObserver`."""
        self._ended("lost", task, 0.0)

    def on_heartbeat_lost(self, task: ClaimedTask, error: Exception) -> None:  # noqa: ARG002 - the hook's
        """See `WorkerObserver`."""
        self._counts["heartbeats_lost"] += 1

    def on_reconnecting(self, queue: str, error: Exception, delay_s: float) -> None:  # noqa: ARG002 - the hook's
        """See `WorkerObserver`."""
        self._counts["reconnects"] += 1

    def _ended(self, how: str, task: ClaimedTask, duration_s: float) -> None:
        self._counts[how] += 1
        self._busy_s += duration_s
        if task.lease_token in self._begun:
            self._begun.discard(task.lease_token)
            self._counts["running"] -= 1
