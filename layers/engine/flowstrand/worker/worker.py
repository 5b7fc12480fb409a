"""`Worker`: registers, polls, runs tasks, and drains when told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
from collections.abc import Sequence
from contextlib import ExitStack

import httpx2

from flowstrand.client.connection import Connection
from flowstrand.errors import ConfigurationError
from flowstrand.sdk.app import App
from flowstrand.worker.api import WorkerApi
from flowstrand.worker.backoff import Backoff
from flowstrand.worker.crew import Crew
from flowstrand.worker.manifests import manifests_of
from flowstrand.worker.poller import Poller
from flowstrand.worker.signals import on_termination

_log = logging.getLogger("flowstrand.worker")
_LONGEST_POLL_S = 20


class Worker:
    """Serves the tasks of one app over HTTPS."""

    def __init__(
        self,
        url: str | None,
        api_key: str | None,
        org: str | None,
        app: App,
        *,
        queues: Sequence[str] = ("default",),
        concurrency: int = 10,
        name: str | None = None,
        grace_s: float = 30.0,
        poll_wait_s: float = 20.0,
        transport: httpx2.AsyncBaseTransport | None = None,
        backoff_s: float = 0.25,
    ) -> None:
        """Connects to nothing yet.

        Args:
            url, api_key, org: by default `FLOWSTRAND_URL`, `FLOWSTRAND_API_KEY` and `FLOWSTRAND_ORG`.
            queues: which queues to poll, each for every task of the app.
            concurrency: how many tasks run at once, over all queues.
            name: what the worker is called in logs; host and process by default.
            grace_s: how long running tasks may go on after `stop`. Shorter than `poll_wait_s`, it may cut off a poll
                whose claim nobody will then work on until its lease runs out.
            poll_wait_s: how long the server may hold a poll, at most 20.
            backoff_s: the first delay after a failed poll.

        Raises:
            ConfigurationError: no API key, an app without tasks, or numbers out of range.
        """
        if not app.task_kinds():
            raise ConfigurationError("the app has no tasks for a worker to run")
        if not queues or concurrency < 1 or not 0 < poll_wait_s <= _LONGEST_POLL_S:
            raise ConfigurationError("a worker needs a queue, a concurrency from 1 and a poll wait of up to 20 s")
        self._connection = Connection.resolve(url, api_key, org)
        self._app = app
        self._definitions = manifests_of(app)
        self._queues = tuple(dict.fromkeys(queues))
        self._concurrency = concurrency
        self._name = name or _default_name()
        self._grace_s = grace_s
        self._poll_wait_s = poll_wait_s
        self._transport = transport
        self._backoff_s = backoff_s
        self._draining = asyncio.Event()
        self._giving_up = asyncio.Event()

    async def run(self, *, handle_signals: bool = True) -> None:
        """Serve until `stop`, or until a termination signal if `handle_signals`; then drain, and return.

        Raises:
            CallerError: the server refused the registration: a wrong key, principal or org.
        """
        api = WorkerApi(
            self._connection,
            max_connections=3 * self._concurrency + len(self._queues) + 1,
            transport=self._transport,
        )
        crew = Crew(api, self._app, self._concurrency)
        with ExitStack() as stack:
            if handle_signals:
                stack.enter_context(on_termination(self.stop))
            try:
                await self._serve(crew, [self._poller(api, crew, queue) for queue in self._queues])
            finally:
                await api.aclose()

    def stop(self) -> None:
        """Begin to drain: no new polls; running tasks have the grace period. A second call ends that at once.

        Call it on the worker's event loop.
        """
        if self._draining.is_set():
            self._giving_up.set()
            return
        _log.info("draining")
        self._draining.set()

    async def _serve(self, crew: Crew, pollers: Sequence[Poller]) -> None:
        work = asyncio.create_task(_poll_and_finish(crew, pollers))
        watch = asyncio.create_task(self._out_of_patience(crew))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watch.cancel()
            work.cancel()
            await asyncio.wait({work})
            if work.cancelled() or work.exception():
                crew.abandon()
            await crew.finish()
        if not work.cancelled():
            work.result()

    async def _out_of_patience(self, crew: Crew) -> None:
        await self._draining.wait()
        crew.release()
        try:
            await asyncio.wait_for(self._giving_up.wait(), self._grace_s)
        except TimeoutError:
            _log.warning("the grace period is over")

    def _poller(self, api: WorkerApi, crew: Crew, queue: str) -> Poller:
        return Poller(
            api,
            crew,
            name=self._name,
            queue=queue,
            kinds=self._app.task_kinds(),
            definitions=self._definitions,
            wait_s=self._poll_wait_s,
            draining=self._draining,
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


def _default_name() -> str:
    """Host and process, of the characters that a name may have."""
    host = re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname()).strip("-")[:64]
    return f"{host or 'worker'}-{os.getpid()}"
