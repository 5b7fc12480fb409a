"""`Crew`: the attempts that are running, and how many more may."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Executor

from flowstrand.attempts.attempt import Attempt
from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.attempts.outcome import Outcome
from flowstrand.attempts.threads import DaemonThreads
from flowstrand.sdk.app import App
from flowstrand.worker.api import WorkerApi
from flowstrand.worker.persistent import PersistentServer

_log = logging.getLogger("flowstrand.worker")


class Crew:
    """Runs at most `concurrency` tasks at once. Pollers of several queues may together claim more: those wait."""

    def __init__(self, api: WorkerApi, app: App, concurrency: int) -> None:
        self._server = PersistentServer(api)
        self._app = app
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._executor: Executor = DaemonThreads()
        self._running: set[asyncio.Task[Outcome | None]] = set()
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def room(self) -> int:
        """How many more tasks could begin now."""
        return max(0, self._concurrency - len(self._running))

    async def wait_for_room(self) -> None:
        """Return when there is room, or after `release`."""
        await self._has_room.wait()

    def release(self) -> None:
        """Let everyone who waits for room go on: there will be no more polling."""
        self._has_room.set()

    def start(self, claimed: ClaimedTask) -> None:
        """Begin an attempt."""
        attempt = Attempt(self._server, claimed, self._app.task(claimed.kind), self._executor, self._app.payloads)
        running = asyncio.create_task(attempt.run(self._slots), name=claimed.task_execution_id)
        self._running.add(running)
        running.add_done_callback(self._ended)
        if not self.room:
            self._has_room.clear()

    async def finish(self) -> None:
        """Wait for every attempt to end."""
        while self._running:
            await asyncio.wait(self._running)

    def abandon(self) -> None:
        """Cancel every attempt; their leases will run out."""
        for running in self._running:
            running.cancel()

    def _ended(self, running: asyncio.Task[Outcome | None]) -> None:
        self._running.discard(running)
        self._has_room.set()
        if running.cancelled():
            _log.warning("gave up %s: its lease will run out", running.get_name())
        elif error := running.exception():
            _log.error("%s could not be reported; its lease will run out", running.get_name(), exc_info=error)
