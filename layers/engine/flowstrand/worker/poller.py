"""`Poller`: keeps one long-poll open on one queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import httpx2

from flowstrand.client.answers import is_transient
from flowstrand.errors import CallerError, NotFound, QuotaExceeded
from flowstrand.worker.api import Polled, WorkerApi
from flowstrand.worker.backoff import Backoff
from flowstrand.worker.crew import Crew
from flowstrand.worker.gate import Gate
from flowstrand.worker.observer import Observers
from flowstrand.worker.registrar import Registrar

_log = logging.getLogger("flowstrand.worker")
_MOST_AT_ONCE = 10
_HELD_S = 1.0
"""An empty answer that came sooner, and sooner than half the wait, was not held: do not ask again at once."""
_MOST_BETWEEN_POLLS_S = 1.0
"""The longest pause before asking such a server again: a task may be waiting."""


class Poller:
    """Polls while there is room and the gate is open, until draining."""

    def __init__(
        self,
        api: WorkerApi,
        registrar: Registrar,
        crew: Crew,
        gate: Gate,
        observers: Observers,
        *,
        queue: str,
        kinds: Sequence[str],
        wait_s: float,
        backoff: Backoff,
    ) -> None:
        self._api = api
        self._registrar = registrar
        self._crew = crew
        self._gate = gate
        self._observers = observers
        self._queue = queue
        self._kinds = kinds
        self._wait_s = wait_s
        self._backoff = backoff
        self._pacing = Backoff(initial_s=backoff.initial_s, max_s=_MOST_BETWEEN_POLLS_S)
        self._is_queue_paused = False

    async def run(self) -> None:
        """Poll until draining. A poll under way is waited for: what it claims would otherwise cost an attempt.

        Raises:
            CallerError: the server refused the first registration.
        """
        while not self._gate.draining.is_set():
            await self._registered()
            await self._gate.opened(self._queue)
            await self._crew.wait_for_room(self._queue)
            if not self._gate.draining.is_set() and self._queue not in self._gate.paused:
                await self._round()

    async def _registered(self) -> None:
        """Register at once, though there is no room or the worker is paused: people want to see it."""
        try:
            await self._registrar.registered()
        except (CallerError, httpx2.TransportError) as error:
            if self._is_fatal(error):
                raise
            await self._pause_after(error)

    async def _round(self) -> None:
        try:
            polled, was_held = await self._poll()
        except (CallerError, httpx2.TransportError) as error:
            if self._is_fatal(error):
                raise
            await self._pause_after(error)
            return
        self._backoff.reset()
        self._note(polled)
        for task in polled.tasks:
            self._crew.start(self._queue, task)
        if polled.tasks or was_held:
            self._pacing.reset()
        else:
            await self._pause(self._pacing.next_s())

    async def _poll(self) -> tuple[Polled, bool]:
        """What was claimed, and whether the server held the request for a while."""
        worker_id = await self._registrar.registered()
        loop = asyncio.get_running_loop()
        asked_at_s = loop.time()
        polled = await self._api.poll(
            self._queue,
            worker_id=worker_id,
            kinds=self._kinds,
            limit=max(1, min(self._crew.room(self._queue), _MOST_AT_ONCE)),
            wait_s=self._wait_s,
        )
        return polled, loop.time() - asked_at_s >= min(_HELD_S, self._wait_s / 2)

    def _note(self, polled: Polled) -> None:
        """What the answer says beside the tasks."""
        if polled.worker_known:
            self._registrar.heard()
        else:
            self._registrar.forgotten()
        self._observers.tell(lambda observer: observer.on_poll(self._queue, len(polled.tasks)))
        if polled.paused and not self._is_queue_paused:
            _log.info("queue %r is paused", self._queue)
            self._observers.tell(lambda observer: observer.on_queue_paused(self._queue))
        self._is_queue_paused = polled.paused

    def _is_fatal(self, error: CallerError | httpx2.TransportError) -> bool:
        """A refusal of the first registration is a mistake in the configuration; later ones may pass."""
        is_first = self._registrar.worker_id is None
        return is_first and not isinstance(error, QuotaExceeded) and not is_transient(error)

    async def _pause_after(self, error: CallerError | httpx2.TransportError) -> None:
        if isinstance(error, NotFound):
            self._registrar.forgotten()
        retry_after_s = error.retry_after_s if isinstance(error, CallerError) else None
        delay_s = self._backoff.next_s(retry_after_s)
        _log.warning(
            "queue %r: %s; asking again in %.1f s", self._queue, str(error) or type(error).__name__, delay_s
        )
        self._observers.tell(lambda observer: observer.on_reconnecting(self._queue, error, delay_s))
        await self._pause(delay_s)

    async def _pause(self, delay_s: float) -> None:
        try:
            await asyncio.wait_for(self._gate.draining.wait(), delay_s)
        except TimeoutError:
            return
