"""`Registrar`: keeps the server's idea of the worker true: that it is there, what it serves, and what it is doing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import httpx2

from flowstrand.errors import CallerError, NotFound
from flowstrand.jsonvalue import JsonValue
from flowstrand.worker.api import WorkerApi, WorkerState
from flowstrand.worker.observer import Observers

CHECK_IN_S = 60.0
"""How long a worker lets nothing be heard of it. Polls are heard; a worker that is busy, or paused, does not poll."""
_FAREWELL_S = 2.0

_log = logging.getLogger("flowstrand.worker")


class Registrar:
    """One registration for all queues, made when it is first needed and again when the server has forgotten it."""

    def __init__(
        self,
        api: WorkerApi,
        observers: Observers,
        *,
        name: str,
        queues: Sequence[str],
        kinds: Sequence[str],
        definitions: Sequence[JsonValue],
        version: str | None,
        state: Callable[[], WorkerState],
        check_in_s: float = CHECK_IN_S,
    ) -> None:
        """`state` says what the worker is doing."""
        self._api = api
        self._observers = observers
        self._name = name
        self._queues = tuple(queues)
        self._kinds = tuple(kinds)
        self._definitions = definitions
        self._version = version
        self._state = state
        self._check_in_s = check_in_s
        self._registering = asyncio.Lock()
        self._worker_id: str | None = None
        self._is_registered = False
        self._last_s = 0.0

    @property
    def worker_id(self) -> str | None:
        """What the server calls this worker; None before the first registration."""
        return self._worker_id

    async def registered(self) -> str:
        """The worker's id, once the server knows it.

        Raises:
            CallerError, httpx2.TransportError: the registration failed.
        """
        async with self._registering:
            if self._worker_id is None or not self._is_registered:
                await self._register()
        return self._worker_id or self._name

    def forgotten(self) -> None:
        """The server does not know the worker any more."""
        self._is_registered = False

    def heard(self) -> None:
        """The server has just heard of the worker."""
        self._last_s = asyncio.get_running_loop().time()

    async def keep_present(self) -> None:
        """Let something be heard of the worker whenever there was nothing for long; until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            silent_s = loop.time() - self._last_s
            if silent_s >= self._check_in_s:
                await self.tell()
                self.heard()  # answered or not: the next one in a minute
                silent_s = 0.0
            await asyncio.sleep(self._check_in_s - silent_s)

    async def tell(self, state: WorkerState | None = None) -> None:
        """Say what the worker is doing. It changes nothing if that does not get through."""
        if self._worker_id is None:
            return
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._api.tell_state(self._worker_id, state or self._state())
        except NotFound:
            self.forgotten()
        except (CallerError, httpx2.TransportError, TimeoutError) as error:
            _log.info("the server was not told what this worker is doing: %s", str(error) or type(error).__name__)

    async def _register(self) -> None:
        registered = await self._api.register(
            name=self._name,
            queues=self._queues,
            kinds=self._kinds,
            definitions=self._definitions,
            worker_id=self._worker_id,
            version=self._version,
        )
        self._worker_id, self._is_registered = registered.worker_id, True
        self.heard()
        queues = ", ".join(self._queues)
        _log.info("registered as %s for %s: %s", self._worker_id, queues, ", ".join(self._kinds))
        if registered.missing_kinds:
            missing = ", ".join(registered.missing_kinds)
            _log.warning("others serve kinds of %s that this worker lacks: %s", queues, missing)
        self._observers.tell(lambda observer: observer.on_registered(registered.worker_id, self._queues))
