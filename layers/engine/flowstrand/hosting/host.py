"""`Host`: runs the attempts that messages name, one after the other, each within the time that its process still has."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from flowstrand.attempts.attempt import Attempt
from flowstrand.attempts.outcome import Failed
from flowstrand.attempts.threads import DaemonThreads
from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.errors import StoreUnavailable, Unavailable
from flowstrand.hosting.code import TaskCode
from flowstrand.hosting.server import InProcessServer, as_answered
from flowstrand.queues.messages import TaskMessage
from flowstrand.service import claims, queue_limits
from flowstrand.service.claims import Unclaimed
from flowstrand.service.container import Services
from flowstrand.service.tokens import LeaseTokens

T = TypeVar("T")

_log = logging.getLogger("flowstrand.worker")
_SOON_MS, _BUSY_MS, _PAUSED_MS = 1_000, 5_000, 60_000
"""When a message comes again that could not be claimed yet, one of a queue with a limit, and one of a paused queue."""
_FAREWELL_MS = 500
"""What is left of the time when even the report is given up."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a process that will be killed at a known moment leaves time for.

    Attributes:
        least_ms: an attempt that would have less than this is left to another process.
        margin_ms: how long before the end an attempt is given up, so that it can clean up and its failure be recorded.
    """

    least_ms: int = 60_000
    margin_ms: int = 15_000


class Host:
    """Claims attempts for itself, without a lease token that anybody could read."""

    def __init__(
        self, services: Services, code: TaskCode, *, queue: str, worker_id: str, limits: Limits | None = None
    ) -> None:
        """`queue` is the name of the queue whose tasks these are."""
        # Its tokens never leave this process, so they need no secret that others know.
        self._services = replace(services, tokens=LeaseTokens(secrets.token_hex(_SECRET_BYTES)))
        self._code = code
        self._queue = queue
        self._worker_id = worker_id
        self._limits = limits or Limits()

    def handle(self, message: TaskMessage, remaining_ms: Callable[[], int]) -> None:
        """Run the attempt that `message` names and report it, or leave it to whoever it is for.

        Handling a message again is harmless: an attempt is claimed once.

        Args:
            remaining_ms: how long this process still has.

        Raises:
            StoreUnavailable: nothing was claimed, or it is not known: handle the message again.
        """
        if remaining_ms() < self._limits.least_ms:
            self._send_again(message)
            return
        try:
            gate = queue_limits.admit(self._services, message.org, self._queue, [message])
            if not gate.room:
                self._send_again(message, _PAUSED_MS if gate.is_paused else max(_BUSY_MS, gate.again_in_ms))
                return
            claimed = claims.claim_one(
                self._services, self._queue, message, self._worker_id, self._code.task_kinds()
            )
            if not isinstance(claimed, claims.ClaimedTask):
                queue_limits.not_begun(self._services, message.org, self._queue, [message])
        except StoreUnavailable:
            _log.warning("an attempt of %s could not be claimed; it is tried again", message.execution_id)
            self._send_again(message, _SOON_MS)
            return
        match claimed:
            case claims.ClaimedTask():
                asyncio.run(self._run(message.org, claimed, remaining_ms))
            case Unclaimed.OTHERS:
                self._send_again(replace(message, kind=""))
            case Unclaimed.EARLY:
                self._send_again(message, _SOON_MS)
            case Unclaimed.SETTLED:
                pass

    def _send_again(self, message: TaskMessage, delay_ms: int = 0) -> None:
        """To the same queue, or to workers', where the message names no kind that is hosted."""
        self._services.tasks.send(message.org, self._queue, [message], delay_ms=delay_ms)

    async def _run(self, org: OrgId, claimed: claims.ClaimedTask, remaining_ms: Callable[[], int]) -> None:
        """Run a claimed attempt. What is not reported by the end is left to its lease, which runs out."""
        task = as_answered(claimed)
        attempt = Attempt(
            InProcessServer(org, self._perform),
            task,
            self._code.task(task.kind),
            DaemonThreads(),
            self._code.payloads,
        )
        running = asyncio.create_task(attempt.run(asyncio.Semaphore(1)))
        left_ms = remaining_ms() - self._limits.margin_ms
        await asyncio.wait({running}, timeout=max(0, left_ms) / 1_000)
        if not running.done():
            attempt.give_up(_out_of_time(remaining_ms()))
            await asyncio.wait({running}, timeout=max(0, remaining_ms() - _FAREWELL_MS) / 1_000)
        if running.done():
            running.result()
            return
        _log.error("attempt %d of %s was not reported in time", task.attempt, task.task_execution_id)
        running.cancel()

    async def _perform(self, action: Callable[[Services], T]) -> T:
        """In a thread, so that the task's code and its heartbeats go on; again and again while the store is away."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return await asyncio.to_thread(action, self._services)
            except (StoreUnavailable, Unavailable) as error:
                _log.warning("asking again in %.1f s: %s", pause_s, error)
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)


def _out_of_time(left_ms: int) -> Failed:
    return Failed(
        type="HostTimeout",
        message=f"the attempt was given up {left_ms} ms before its function's time limit",
    )
