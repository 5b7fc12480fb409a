"""`Worker`: registers, polls, runs tasks, and drains when told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import httpx2

from flowstrand.client.bearer import TokenSource
from flowstrand.client.connection import Connection
from flowstrand.errors import ConfigurationError
from flowstrand.sdk.app import App
from flowstrand.worker.api import WorkerApi, WorkerState
from flowstrand.worker.backoff import Backoff
from flowstrand.worker.crew import Crew
from flowstrand.worker.gate import Gate
from flowstrand.worker.manifests import manifests_of
from flowstrand.worker.metrics import MetricsObserver, WorkerMetrics
from flowstrand.worker.observer import Observers, WorkerObserver
from flowstrand.worker.persistent import PersistentServer
from flowstrand.worker.poller import Poller
from flowstrand.worker.registrar import CHECK_IN_S, Registrar
from flowstrand.worker.signals import TERMINATION, on_signals

_log = logging.getLogger("flowstrand.worker")
_LONGEST_POLL_S = 20


class Worker:
    """Serves the tasks of one app over HTTPS."""

    def __init__(
        self,
        url: str | None,
        api_key: str | TokenSource | None,
        org: str | None,
        app: App,
        *,
        queues: Sequence[str] | Mapping[str, int | None] = ("default",),
        concurrency: int = 10,
        name: str | None = None,
        version: str | None = None,
        observers: Sequence[WorkerObserver] = (),
        grace_s: float = 30.0,
        poll_wait_s: float = 20.0,
        log_level: int | None = logging.INFO,
        transport: httpx2.AsyncBaseTransport | None = None,
        backoff_s: float = 0.25,
        check_in_s: float = CHECK_IN_S,
    ) -> None:
        """Connects to nothing yet.

        Args:
            url: of the server; `FLOWSTRAND_URL` by default.
            api_key: a worker's, or what gives one, as `Client` takes it; `FLOWSTRAND_API_KEY` by default.
            org: whose queues are polled; `FLOWSTRAND_ORG` by default.
            queues: which queues to poll, each for every task of the app; by name, how many of its tasks run at once at most.
            concurrency: how many tasks run at once, over all queues.
            name: what the worker is called in logs and lists; host and process by default.
            version: of its code; shown in lists.
            observers: are told what the worker does.
            grace_s: how long running tasks may go on after `stop`. Shorter than `poll_wait_s`, it may cut off a poll
                whose claim nobody will then work on until its lease runs out.
            poll_wait_s: how long the server may hold a poll, at most 20.
            log_level: from which on what tasks say with `ctx.logger` is kept with them, whatever this process logs; None to
                keep nothing.
            backoff_s: the first delay after a failed poll.
            check_in_s: how long the server may hear nothing of a worker that does not poll.

        Raises:
            ConfigurationError: no API key, an app without tasks, or numbers out of range.
        """
        if not app.task_kinds():
            raise ConfigurationError("the app has no tasks for a worker to run")
        self._shares = _shares(queues, concurrency)
        if not self._shares or concurrency < 1 or not 0 < poll_wait_s <= _LONGEST_POLL_S:
            raise ConfigurationError("a worker needs a queue, a concurrency from 1 and a poll wait of up to 20 s")
        self._connection = Connection.resolve(url, api_key, org)
        self._app = app
        self._definitions = manifests_of(app)
        self._concurrency = concurrency
        self._name = name or _default_name()
        self._version = version
        self._metrics = MetricsObserver(time.monotonic)
        self._observers = Observers([self._metrics, *observers])
        self._grace_s = grace_s
        self._poll_wait_s = poll_wait_s
        self._log_level = log_level
        self._transport = transport
        self._backoff_s = backoff_s
        self._check_in_s = check_in_s
        self._gate = Gate(list(self._shares))
        self._giving_up = asyncio.Event()
        self._registrar: Registrar | None = None
        self._telling: set[asyncio.Task[None]] = set()

    # --- what others may ask of it; on the worker's event loop ----------------------------------------

    async def run(self, *, handle_signals: bool = True) -> None:
        """Serve until `stop`, or until a termination signal if `handle_signals`; then drain, and return.

        Where they are handled, SIGUSR1 pauses it and SIGUSR2 resumes it.

        Raises:
            CallerError: the server refused the registration: a wrong key, principal or org.
        """
        api = WorkerApi(
            self._connection,
            max_connections=3 * self._concurrency + len(self._shares) + 2,
            transport=self._transport,
        )
        self._metrics.begin()
        crew = Crew(
            PersistentServer(api),
            self._app,
            self._observers,
            concurrency=self._concurrency,
            shares=self._shares,
            log_level=self._log_level,
        )
        self._registrar = registrar = self._make_registrar(api)
        with ExitStack() as stack:
            if handle_signals:
                stack.enter_context(on_signals(self._signals()))
            try:
                await self._serve(crew, [self._poller(api, registrar, crew, queue) for queue in self._shares])
                await registrar.tell("STOPPED")
            finally:
                await api.aclose()
                self._observers.tell(lambda observer: observer.on_stopped())

    def stop(self) -> None:
        """Begin to drain: no new polls; running tasks have the grace period. A second call ends that at once."""
        if self._gate.draining.is_set():
            self._giving_up.set()
            return
        _log.info("draining")
        self._gate.drain()
        self._observers.tell(lambda observer: observer.on_draining())
        self._tell_state()

    def pause(self, queue: str | None = None) -> None:
        """Take no more tasks from a queue, or from any. What runs goes on, and so does what an open poll claims.

        Raises:
            ConfigurationError: the worker does not poll that queue.
        """
        if closed := self._gate.pause(self._named(queue)):
            _log.info("paused: %s", ", ".join(closed))
            self._observers.tell(lambda observer: observer.on_paused(closed))
            self._tell_state()

    def resume(self, queue: str | None = None) -> None:
        """Take tasks again. Raises what `pause` raises."""
        if opened := self._gate.resume(self._named(queue)):
            _log.info("resumed: %s", ", ".join(opened))
            self._observers.tell(lambda observer: observer.on_resumed(opened))
            self._tell_state()

    @property
    def state(self) -> WorkerState:
        """What it is doing; PAUSED where it polls no queue at all."""
        if self._gate.draining.is_set():
            return "DRAINING"
        return "PAUSED" if self._gate.is_paused else "RUNNING"

    def metrics(self) -> WorkerMetrics:
        """What it has done so far."""
        return self._metrics.snapshot()

    # --- how it does it -------------------------------------------------------------------------------

    async def _serve(self, crew: Crew, pollers: Sequence[Poller]) -> None:
        work = asyncio.create_task(_poll_and_finish(crew, pollers))
        watch = asyncio.create_task(self._out_of_patience(crew))
        present = asyncio.create_task(self._keep_present())
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            present.cancel()
            watch.cancel()
            work.cancel()
            await asyncio.wait({work})
            if work.cancelled() or work.exception():
                crew.abandon()
            await crew.finish()
        if not work.cancelled():
            work.result()

    async def _out_of_patience(self, crew: Crew) -> None:
        await self._gate.draining.wait()
        crew.release()
        try:
            await asyncio.wait_for(self._giving_up.wait(), self._grace_s)
        except TimeoutError:
            _log.warning("the grace period is over")

    async def _keep_present(self) -> None:
        if self._registrar is not None:
            await self._registrar.keep_present()

    def _tell_state(self) -> None:
        """Let the server know, without waiting for it; before `run` there is nobody to tell."""
        if self._registrar is not None:
            telling = asyncio.create_task(self._registrar.tell())
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    def _signals(self) -> Mapping[signal.Signals, Callable[[], None]]:
        calls: dict[signal.Signals, Callable[[], None]] = dict.fromkeys(TERMINATION, self.stop)
        if hasattr(signal, "SIGUSR1"):
            calls |= {signal.SIGUSR1: self.pause, signal.SIGUSR2: self.resume}
        return calls

    def _named(self, queue: str | None) -> list[str]:
        if queue is not None and queue not in self._shares:
            raise ConfigurationError(f"this worker does not poll the queue {queue!r}")
        return list(self._shares) if queue is None else [queue]

    def _make_registrar(self, api: WorkerApi) -> Registrar:
        return Registrar(
            api,
            self._observers,
            name=self._name,
            queues=list(self._shares),
            kinds=self._app.task_kinds(),
            definitions=self._definitions,
            version=self._version,
            state=lambda: self.state,
            check_in_s=self._check_in_s,
        )

    def _poller(self, api: WorkerApi, registrar: Registrar, crew: Crew, queue: str) -> Poller:
        return Poller(
            api,
            registrar,
            crew,
            self._gate,
            self._observers,
            queue=queue,
            kinds=self._app.task_kinds(),
            wait_s=self._poll_wait_s,
            backoff=Backoff(initial_s=self._backoff_s),
        )


async def _poll_and_finish(crew: Crew, pollers: Sequence[Poller]) -> None:
    polling = [asyncio.create_task(poller.run()) for poller in pollers]
    try:
        await asyncio.gather(*polling)
    finally:
        for task in polling:
            task.cancel()
        await asyncio.gather(*polling, return_exceptions=True)
    await crew.finish()


def _shares(queues: Sequence[str] | Mapping[str, int | None], concurrency: int) -> dict[str, int]:
    """How many tasks of each queue may run at once.

    Raises:
        ConfigurationError: one of them is less than 1.
    """
    limits = dict(queues) if isinstance(queues, Mapping) else dict.fromkeys(queues)
    shares = {queue: concurrency if limit is None else limit for queue, limit in limits.items()}
    if any(share < 1 for share in shares.values()):
        raise ConfigurationError("a queue's limit is at least 1")
    return shares


def _default_name() -> str:
    """Host and process, of the characters that a name may have."""
    host = re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname()).strip("-")[:64]
    return f"{host or 'worker'}-{os.getpid()}"
