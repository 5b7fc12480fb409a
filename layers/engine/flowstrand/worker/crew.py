"""`Crew`: the attempts that are running, and how many more may."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Executor

from flowstrand.attempts.attempt import Attempt
from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.outcome import Completed, Failed, Outcome
from flowstrand.attempts.server import AttemptServer
from flowstrand.attempts.threads import DaemonThreads
from flowstrand.sdk.app import App
from flowstrand.worker.observer import Observers

_log = logging.getLogger("flowstrand.worker")


class Crew:
    """Runs at most `concurrency` tasks at once, and of each queue at most its own share.

    Pollers of several queues may together claim more than may run: those wait, and their leases are renewed.
    """

    def __init__(
        self,
        server: AttemptServer,
        app: App,
        observers: Observers,
        *,
        concurrency: int,
        shares: Mapping[str, int],
        log_level: int | None = logging.INFO,
    ) -> None:
        """`shares` has every queue; `log_level` is from where on what tasks log is kept, None for nothing."""
        self._server = server
        self._app = app
        self._observers = observers
        self._concurrency = concurrency
        self._shares = dict(shares)
        self._log_level = log_level
        self._slots = asyncio.Semaphore(concurrency)
        self._executor: Executor = DaemonThreads()
        self._running: dict[asyncio.Task[Outcome | None], str] = {}
        self._of_queue: Counter[str] = Counter()
        self._is_released = False
        self._has_room = {queue: asyncio.Event() for queue in shares}
        self._note_room()

    def room(self, queue: str) -> int:
        """How many more tasks of a queue could begin now."""
        of_all = self._concurrency - len(self._running)
        return max(0, min(of_all, self._shares[queue] - self._of_queue[queue]))

    async def wait_for_room(self, queue: str) -> None:
        """Return when there is room, or after `release`."""
        await self._has_room[queue].wait()

    def release(self) -> None:
        """Let everyone who waits for room go on: there will be no more polling."""
        self._is_released = True
        self._note_room()

    def start(self, queue: str, claimed: ClaimedTask) -> None:
        """Begin an attempt."""
        attempt = Attempt(
            self._server,
            claimed,
            self._app.task(claimed.kind),
            self._executor,
            self._app.payloads,
            listener=_Told(self._observers),
            log_level=self._log_level,
        )
        running = asyncio.create_task(self._run(attempt, claimed), name=claimed.task_execution_id)
        self._running[running] = queue
        self._of_queue[queue] += 1
        running.add_done_callback(self._ended)
        self._note_room()

    async def finish(self) -> None:
        """Wait for every attempt to end."""
        while self._running:
            await asyncio.wait(self._running)

    def abandon(self) -> None:
        """Cancel every attempt; their leases will run out."""
        for running in self._running:
            running.cancel()

    async def _run(self, attempt: Attempt, claimed: ClaimedTask) -> Outcome | None:
        clock = asyncio.get_running_loop().time
        began_s, outcome = clock(), None
        try:
            outcome = await attempt.run(self._slots)
        finally:
            self._tell_of_end(claimed, outcome, clock() - began_s)
        return outcome

    def _tell_of_end(self, claimed: ClaimedTask, outcome: Outcome | None, duration_s: float) -> None:
        match outcome:
            case Completed() as done:
                self._observers.tell(lambda observer: observer.on_task_finished(claimed, done, duration_s))
            case Failed() as failed:
                self._observers.tell(lambda observer: observer.on_task_failed(claimed, failed, duration_s))
            case None:
                self._observers.tell(lambda observer: observer.on_task_lost(claimed))

    def _ended(self, running: asyncio.Task[Outcome | None]) -> None:
        self._of_queue[self._running.pop(running)] -= 1
        self._note_room()
        if running.cancelled():
            _log.warning("gave up %s: its lease will run out", running.get_name())
        elif error := running.exception():
            _log.error("%s could not be reported; its lease will run out", running.get_name(), exc_info=error)

    def _note_room(self) -> None:
        for queue, event in self._has_room.items():
            if self._is_released or self.room(queue):
                event.set()
            else:
                event.clear()


class _Told:
    """An `AttemptListener` that tells observers."""

    def __init__(self, observers: Observers) -> None:
        self._observers = observers

    def started(self, task: ClaimedTask) -> None:
        self._observers.tell(lambda observer: observer.on_task_started(task))

    def heartbeat_lost(self, task: ClaimedTask, error: Exception) -> None:
        self._observers.tell(lambda observer: observer.on_heartbeat_lost(task, error))
