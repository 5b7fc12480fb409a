"""`AttemptLog`: what one attempt logs, on its way to the server: in order, in batches, and never in the attempt's way."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from flowstrand.attempts.log_queue import LogQueue
from flowstrand.engine.task_log import LogRecord
from flowstrand.errors import Conflict, Gone, InvalidInput, NotFound, PayloadTooLarge

_log = logging.getLogger("flowstrand.worker")

INTERVAL_S, MAX_INTERVAL_S = 1.0, 30.0
"""How long a record waits for others to be sent with: at first, and of an attempt that has sent much."""
BATCHES_AT_ONE_PACE = 50
"""After which the interval doubles, so that an attempt of hours does not use its batches up in minutes."""
CLOSE_S = 1.0
"""How long the end of an attempt waits for its last records to be sent."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LAST_PAUSE_S = 0.5, 15.0, 0.1
"""Between two tries while the server does not answer; the last, while the attempt waits for it."""
_REFUSALS = (Conflict, Gone, InvalidInput, NotFound, PayloadTooLarge)
"""After one of these nothing more will be taken."""
_FULL = "TASK_LOG_FULL"

Deliver: TypeAlias = Callable[[int, Sequence[LogRecord]], Awaitable[int]]
"""Sends the batch of this number, from 1; returns how many more will be taken. Sending one again is harmless."""


class AttemptLog:
    """Sends one batch at a time, and the same one again until it is taken.

    Before an attempt has used up its batches, the last one waits for the attempt's end, so that it can tell of what was dropped.
    """

    def __init__(self, deliver: Deliver, name: str, *, interval_s: float = INTERVAL_S) -> None:
        """Made on the event loop that sends. `name` is what the attempt is called where records of it are lost."""
        self._deliver = deliver
        self._name = name
        self._interval_s = interval_s
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._queue = LogQueue()
        self._number = 1
        self._is_last = False
        self._failures = 0
        self._hurry = asyncio.Event()
        self._closing = asyncio.Event()
        self._sender: asyncio.Task[None] | None = None
        self._is_over = False

    def take(self, record: LogRecord) -> None:
        """Take a record at once, from any thread. What comes after the end is ignored."""
        if self._is_over:
            return
        self._queue.add(record)
        if threading.get_ident() == self._thread:
            self._notice()
        else:
            with suppress(RuntimeError):  # the loop is closed: so is the attempt
                self._loop.call_soon_threadsafe(self._notice)

    async def close(self, *, within_s: float = CLOSE_S) -> None:
        """Take no more, and return when everything is sent, or after `within_s`. Raises nothing."""
        self._queue.close()
        self._closing.set()
        self._notice()
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=within_s)
        lost = len(self._queue) + self._queue.dropped
        if lost and not self._is_over:
            _log.warning("%d log records of %s were not kept", lost, self._name)
        self.stop()

    def stop(self) -> None:
        """End at once, whatever is under way."""
        self._is_over = True
        self._queue.close()
        if self._sender is not None:
            self._sender.cancel()

    # --- sending ------------------------------------------------------------------------------

    def _notice(self) -> None:
        """Something was logged, or the end has come; on the loop's thread."""
        if self._queue.is_batch or self._closing.is_set():
            self._hurry.set()
        if self._sender is None and len(self._queue) and not self._is_over:
            self._sender = self._loop.create_task(self._send_everything())

    async def _send_everything(self) -> None:
        while len(self._queue):
            await self._gather()
            if not await self._send(self._queue.batch()):
                self._is_over = True
                return
        self._sender = None

    async def _gather(self) -> None:
        """Wait for more to be sent in the same batch, unless there is enough or the end has come."""
        if self._is_last:
            await self._closing.wait()
        elif not self._closing.is_set() and not self._queue.is_batch:
            self._hurry.clear()
            paced_s = self._interval_s * 2.0 ** ((self._number - 1) // BATCHES_AT_ONE_PACE)
            await _wait(self._hurry, min(MAX_INTERVAL_S, paced_s))

    async def _send(self, batch: Sequence[LogRecord]) -> bool:
        """Send a batch until it is taken; false where no more will be."""
        while True:
            try:
                left = await self._deliver(self._number, batch)
            except _REFUSALS as refused:
                level = logging.INFO if refused.code == _FULL else logging.WARNING
                _log.log(level, "no more of the log of %s is kept: %s", self._name, refused.message)
                return False
            except Exception as error:  # noqa: BLE001 - whatever it is, the attempt goes on
                _log.debug("log records of %s could not be sent: %r", self._name, error)
                await self._pause()
                continue
            self._taken(len(batch), left)
            return left > 0

    def _taken(self, count: int, left: int) -> None:
        self._queue.remove(count)
        self._number += 1
        self._failures = 0
        if left == 1:
            self._is_last = True
            self._queue.allow_one_batch()

    async def _pause(self) -> None:
        self._failures += 1
        if self._closing.is_set():
            await asyncio.sleep(_LAST_PAUSE_S)
        else:
            await _wait(self._closing, min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**self._failures))


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
