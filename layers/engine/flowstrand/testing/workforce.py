"""`Workforce`: the attempts that run now, each by the worker's own code."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar

from flowstrand.attempts.attempt import Attempt
from flowstrand.attempts.threads import DaemonThreads
from flowstrand.hosting.server import as_answered
from flowstrand.service.tasks import ClaimedTask
from flowstrand.testing.clock import VirtualClock
from flowstrand.testing.definitions import Definitions, FailingTask
from flowstrand.testing.faults import AttemptFaults, FailedAttempt, LostAttempt, WorkerDied
from flowstrand.testing.server import Actor, server_of

_AT_ONCE = 10_000
_current: ContextVar[str] = ContextVar("attempt")
"""Names the attempt that the code of a task belongs to."""


class Workforce:
    """One worker, as large as need be.

    Attributes:
        faults: what is to befall attempts.
    """

    def __init__(self, definitions: Definitions, clock: VirtualClock, actor: Actor) -> None:
        self.faults = AttemptFaults()
        self._definitions = definitions
        self._clock = clock
        self._server = server_of(actor)
        self._cut_off = server_of(actor, is_cut_off=True)
        self._executor = DaemonThreads()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._asleep: set[str] = set()
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None

    def begin(self, claimed: ClaimedTask) -> None:
        """Start an attempt.

        Raises:
            ConfigurationError: there is no such task.
        """
        name = f"{claimed.task_execution_id}/{claimed.attempt}"
        fault = self.faults.take(claimed.kind)
        if fault == LostAttempt(moment="before_run"):
            return
        definition = (
            FailingTask(claimed.kind, fault.error)
            if isinstance(fault, FailedAttempt)
            else self._definitions.task(claimed.kind)
        )
        server = self._cut_off if isinstance(fault, LostAttempt) else self._server
        attempt = Attempt(
            server,
            as_answered(claimed),
            definition,
            self._executor,
            self._definitions.payloads,
            sleep=self._clock.sleep,
        )
        self._running[name] = asyncio.create_task(self._run(name, attempt), name=f"{claimed.kind} {name}")

    @property
    def is_busy(self) -> bool:
        """Whether an attempt runs that does not sleep on the virtual clock."""
        return len(self._running) > len(self._asleep)

    def busy(self) -> list[str]:
        """The attempts for which `is_busy` holds."""
        return [task.get_name() for name, task in self._running.items() if name not in self._asleep]

    async def progress(self, timeout_s: float) -> bool:
        """Wait until an attempt ends or goes to sleep; false where none does in `timeout_s` real seconds.

        Raises:
            BaseException: what ended an attempt, if that was neither its code nor its report.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        has_changed = self._changed.is_set()
        self._changed.clear()
        return has_changed

    async def sleep(self, seconds: float) -> bool:
        """Sleep on the virtual clock; false, at once, where this is not the code of a task."""
        name = _current.get(None)
        if name is None:
            return False
        self._asleep.add(name)
        self._changed.set()
        try:
            await self._clock.sleep(seconds, lambda: self._asleep.discard(name))
        finally:
            self._asleep.discard(name)
        return True

    async def stop(self) -> None:
        """Cancel what still runs."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, name: str, attempt: Attempt) -> None:
        _current.set(name)
        try:
            with suppress(WorkerDied):
                await attempt.run(self._slots)
        except Exception as error:  # noqa: BLE001 - raised again where the test waits
            self._failure = error
        finally:
            del self._running[name]
            self._asleep.discard(name)
            self._changed.set()
