"""`EmbeddedWorker`: the HTTPS worker, in a thread of the local server, talking to it like any other worker."""

from __future__ import annotations

import asyncio
import logging
import threading

from flowstrand.errors import FlowstrandError
from flowstrand.local.options import ORG
from flowstrand.sdk.app import App
from flowstrand.worker import Worker

_GRACE_S = 1.5
"""How long running tasks may go on when the server stops; what is cut off is tried again after its lease."""

_logger = logging.getLogger("flowstrand.local")


class EmbeddedWorker:
    """Runs an app's tasks on an event loop of its own, so that a task that blocks does not stop the server."""

    def __init__(self, app: App, *, url: str, api_key: str) -> None:
        """The server at `url` must be listening by the time of `start`.

        Raises:
            ConfigurationError: the app has no tasks.
        """
        self._worker = Worker(url, api_key, ORG, app, queues=queues_of(app), name="embedded", grace_s=_GRACE_S)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="embedded-worker", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def begin_to_stop(self) -> None:
        """Poll no more; returns at once."""
        with self._lock:
            if self._loop is not None and not self._is_stopping:
                self._loop.call_soon_threadsafe(self._worker.stop)
            self._is_stopping = True

    def join(self, timeout_s: float) -> None:
        """Wait up to `timeout_s` for running tasks."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except FlowstrandError:
            _logger.exception("the embedded worker has ended")

    async def _serve(self) -> None:
        with self._lock:
            if self._is_stopping:
                return
            self._loop = asyncio.get_running_loop()
        try:
            await self._worker.run(handle_signals=False)
        finally:
            with self._lock:
                self._loop = None


def queues_of(app: App) -> list[str]:
    """The default queue, and every queue that a task of the app names for itself."""
    named = {task.queue for kind in app.task_kinds() if (task := app.task(kind)) is not None and task.queue}
    return ["default", *sorted(named - {"default"})]
