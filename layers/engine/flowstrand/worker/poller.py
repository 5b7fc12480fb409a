"""`Poller`: keeps one long-poll open on one queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import httpx2

from flowstrand.attempts.claimed import ClaimedTask
from flowstrand.client.answers import is_transient
from flowstrand.errors import CallerError, NotFound, QuotaExceeded
from flowstrand.jsonvalue import JsonValue
from flowstrand.worker.api import WorkerApi
from flowstrand.worker.backoff import Backoff
from flowstrand.worker.crew import Crew

_log = logging.getLogger("flowstrand.worker")
_MOST_AT_ONCE = 10
_HELD_S = 1.0
"""An empty answer that came sooner, and sooner than half the wait, was not held: do not ask again at once."""
_MOST_BETWEEN_POLLS_S = 1.0
"""The longest pause before asking such a server again: a task may be waiting."""


class Poller:
    """Registers the worker for its queue, then polls while there is room, until draining."""

    def __init__(
        self,
        api: WorkerApi,
        crew: Crew,
        *,
        name: str,
        queue: str,
        kinds: Sequence[str],
        definitions: Sequence[JsonValue],
        wait_s: float,
        draining: asyncio.Event,
        backoff: Backoff,
    ) -> None:
        self._api = api
        self._crew = crew
        self._name = name
        self._queue = queue
        self._kinds = kinds
        self._definitions = definitions
        self._wait_s = wait_s
        self._draining = draining
        self._backoff = backoff
        self._pacing = Backoff(initial_s=backoff.initial_s, max_s=_MOST_BETWEEN_POLLS_S)
        self._worker_id: str | None = None
        self._is_registered = False

    async def run(self) -> None:
        """Poll until draining. A poll under way is waited for: what it claims would otherwise cost an attempt.

        Raises:
            CallerError: the server refused the first registration.
        """
        while not self._draining.is_set():
            await self._crew.wait_for_room()
            if self._draining.is_set():
                return
            await self._round()

    async def _round(self) -> None:
        try:
            if not self._is_registered:
                await self._register()
            claimed, was_held = await self._poll()
        except (CallerError, httpx2.TransportError) as error:
            if self._is_fatal(error):
                raise
            await self._pause_after(error)
            return
        for task in claimed:
            self._crew.start(task)
        self._backoff.reset()
        if claimed or was_held:
            self._pacing.reset()
        else:
            await self._pause(self._pacing.next_s())

    async def _register(self) -> None:
        registered = await self._api.register(
            name=self._name,
            queue=self._queue,
            kinds=self._kinds,
            definitions=self._definitions,
            worker_id=self._worker_id,
        )
        self._worker_id, self._is_registered = registered.worker_id, True
        _log.info("registered as %s for queue %r: %s", self._worker_id, self._queue, ", ".join(self._kinds))
        if registered.missing_kinds:
            _log.warning(
                "queue %r has kinds that this worker lacks: %s", self._queue, ", ".join(registered.missing_kinds)
            )

    async def _poll(self) -> tuple[tuple[ClaimedTask, ...], bool]:
        """What was claimed, and whether the server held the request for a while."""
        loop = asyncio.get_running_loop()
        asked_at_s = loop.time()
        claimed = await self._api.poll(
            self._queue,
            worker_id=self._worker_id or self._name,
            kinds=self._kinds,
            limit=max(1, min(self._crew.room, _MOST_AT_ONCE)),
            wait_s=self._wait_s,
        )
        return claimed, loop.time() - asked_at_s >= min(_HELD_S, self._wait_s / 2)

    def _is_fatal(self, error: CallerError | httpx2.TransportError) -> bool:
        """A refusal of the first registration is a mistake in the configuration; later ones may pass."""
        return self._worker_id is None and not isinstance(error, QuotaExceeded) and not is_transient(error)

    async def _pause_after(self, error: CallerError | httpx2.TransportError) -> None:
        if isinstance(error, NotFound):
            self._is_registered = False  # the server may have forgotten this worker
        retry_after_s = error.retry_after_s if isinstance(error, CallerError) else None
        delay_s = self._backoff.next_s(retry_after_s)
        _log.warning(
            "queue %r: %s; asking again in %.1f s", self._queue, str(error) or type(error).__name__, delay_s
        )
        await self._pause(delay_s)

    async def _pause(self, delay_s: float) -> None:
        try:
            await asyncio.wait_for(self._draining.wait(), delay_s)
        except TimeoutError:
            return
