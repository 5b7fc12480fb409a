"""`Poller`: keeps one long-poll open on one queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import httpx2

from flowstrand.client.answers import is_transient
from flowstrand.errors import CallerError, NotFound, QuotaExceeded
from flowstrand.worker.api import ClaimedTask, WorkerApi
from flowstrand.worker.backoff import Backoff
from flowstrand.worker.crew import Crew

_log = logging.getLogger("flowstrand.worker")
_MOST_AT_ONCE = 10
_SUSPICIOUSLY_SHORT = 0.5
"""An empty answer that took less than this share of the wait did not wait: do not ask again at once."""


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
        wait_s: float,
        draining: asyncio.Event,
        backoff: Backoff,
    ) -> None:
        self._api = api
        self._crew = crew
        self._name = name
        self._queue = queue
        self._kinds = kinds
        self._wait_s = wait_s
        self._draining = draining
        self._backoff = backoff
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
            claimed, is_idle = await self._poll()
        except (CallerError, httpx2.TransportError) as error:
            if self._is_fatal(error):
                raise
            await self._pause_after(error)
            return
        for task in claimed:
            self._crew.start(task)
        if claimed or is_idle:
            self._backoff.reset()
        else:
            await self._pause(self._backoff.next_s())

    async def _register(self) -> None:
        registered = await self._api.register(
            name=self._name, queue=self._queue, kinds=self._kinds, worker_id=self._worker_id
        )
        self._worker_id, self._is_registered = registered.worker_id, True
        _log.info("registered as %s for queue %r: %s", self._worker_id, self._queue, ", ".join(self._kinds))
        if registered.missing_kinds:
            _log.warning(
                "queue %r has kinds that this worker lacks: %s", self._queue, ", ".join(registered.missing_kinds)
            )

    async def _poll(self) -> tuple[tuple[ClaimedTask, ...], bool]:
        """What was claimed, and whether the server held the request as long as it should."""
        loop = asyncio.get_running_loop()
        asked_at_s = loop.time()
        claimed = await self._api.poll(
            self._queue,
            worker_id=self._worker_id or self._name,
            kinds=self._kinds,
            limit=max(1, min(self._crew.room, _MOST_AT_ONCE)),
            wait_s=self._wait_s,
        )
        return claimed, loop.time() - asked_at_s >= self._wait_s * _SUSPICIOUSLY_SHORT

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
