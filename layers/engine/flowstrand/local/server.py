"""`DevServer`: the local server, from its data folder to its end.

Everything in memory may be lost at any instant (law 9): what matters is in the stores, and the sweep at start-up brings
back the rest.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from types import FrameType

import uvicorn
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flowstrand.aws.settings import engine_settings
from flowstrand.dataclass import dataclass
from flowstrand.errors import ConfigurationError
from flowstrand.local import readable_log
from flowstrand.local.aws_endpoint import AwsEndpoint
from flowstrand.local.composition import Composition, compose
from flowstrand.local.embedded_worker import EmbeddedWorker
from flowstrand.local.functions import Functions
from flowstrand.local.gateway import Gateway
from flowstrand.local.keys import ensure_dev_key, ensure_worker_key
from flowstrand.local.machinery import Machinery
from flowstrand.local.options import Options
from flowstrand.local.payload_transfers import ROUTE as TRANSFERS
from flowstrand.local.payload_transfers import TransferRoute
from flowstrand.local.secrets_file import signing_secrets
from flowstrand.local.stores import Stores, dynamodb_stores, sqlite_stores
from flowstrand.local.web_app import web_app
from flowstrand.sdk.app import App
from flowstrand.service import container
from flowstrand.service.signing import Signed

HEALTH = "/_/health"
_GRACE_S = 2
"""How long requests may take to end once the server is told to stop."""
_KEPT_S = 75
"""How long a connection is kept that nobody uses: longer than clients keep theirs, so that none is closed as it is used again."""
_STORE_THREADS = 64
"""Reads for live streams at once."""
_SWITCH_S = 0.000_5
"""How long a thread that computes may keep others from it: a live stream is a matter of several threads, and of milliseconds."""
_DEFAULTS = {"FLOWSTRAND_LEASE_MS": "15000", "FLOWSTRAND_HEARTBEAT_MS": "5000"}
"""Shorter than in AWS: on a machine where people restart things, the work of a killed worker is missed sooner."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """What a server tells as soon as it takes connections.

    Attributes:
        url: where it is.
        api_key: of org `dev`.
    """

    url: str
    api_key: str


class DevServer:
    """One server. `run` blocks until it is told to stop."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def run(self, on_listening: Callable[[Listening], None]) -> None:
        """Serve until SIGINT or SIGTERM.

        Raises:
            ConfigurationError: the port is taken, or the app or the store cannot be had.
        """
        options = self._options
        options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(_listening_socket(options.host, options.port)) as listener:
            stores = _stores(options)
            try:
                self._run(listener, stores, on_listening)
            finally:
                stores.close()

    def _run(self, listener: socket.socket, stores: Stores, on_listening: Callable[[Listening], None]) -> None:
        options = self._options
        app, functions = App.load(options.app), Functions.load()
        composed = compose(
            stores,
            functions,
            app,
            lease_secrets=signing_secrets(options.data, Signed.LEASE),
            ticket_secrets=signing_secrets(options.data, Signed.TICKET),
            settings=engine_settings({**_DEFAULTS, **os.environ}),
        )
        now_ms = composed.clock.now_ms()
        key = ensure_dev_key(stores.directory, options.data, options.api_key, now_ms=now_ms)
        port = listener.getsockname()[1]
        machinery = Machinery(functions, composed, self._worker(app, composed, port))
        with ExitStack() as installed:
            installed.callback(container.install(composed.services))
            installed.callback(readable_log.install())
            on_listening(Listening(url=f"http://{options.host}:{port}", api_key=key))
            gateway = Gateway(functions, composed.stopping)
            _serve(listener, gateway, machinery, composed.payload_route, options.allowed_origins)

    def _worker(self, app: App, composed: Composition, port: int) -> EmbeddedWorker | None:
        """The worker for the app's tasks, if there are any and they are to run here."""
        if not self._options.runs_tasks or not app.task_kinds():
            return None
        directory, now_ms = composed.services.directory, composed.clock.now_ms()
        key = ensure_worker_key(directory, self._options.data, now_ms=now_ms)
        return EmbeddedWorker(app, url=f"http://127.0.0.1:{port}", api_key=key)


def _serve(
    listener: socket.socket,
    gateway: Gateway,
    machinery: Machinery,
    payload_route: TransferRoute,
    allowed_origins: Sequence[str],
) -> None:
    async def health(_: Request) -> Response:
        if machinery.is_ready:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "starting"}, status_code=503, headers={"Retry-After": "1"})

    own = [Route(HEALTH, health), Route(TRANSFERS, payload_route.serve, methods=["GET", "PUT"])]
    config = uvicorn.Config(
        web_app(gateway, own, allowed_origins, lifespan=lambda _: _lifespan(machinery)),
        log_level="warning",
        access_log=False,  # tickets are in URLs
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=_KEPT_S,
    )
    sys.setswitchinterval(_SWITCH_S)
    _Server(config, on_exit=machinery.drain).run(sockets=[listener])


@asynccontextmanager
async def _lifespan(machinery: Machinery) -> AsyncIterator[None]:
    """Connections are taken at once; the machinery starts beside them, and health says when it has."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_STORE_THREADS, "reader"))
    starting = asyncio.create_task(asyncio.to_thread(machinery.start))
    try:
        yield
    finally:
        await to_thread.run_sync(machinery.stop)
        await starting


class _Server(uvicorn.Server):
    """Ends without an error when it is told to, after `on_exit`, during which it takes requests as before."""

    def __init__(self, config: uvicorn.Config, *, on_exit: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_exit = on_exit
        self._is_told = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but a signal that was obeyed is not raised again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {name: signal.signal(name, self.handle_exit) for name in _SIGNALS}
        try:
            yield
        finally:
            for name, handler in previous.items():
                signal.signal(name, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; a second SIGINT does not wait for anything."""
        if self._is_told:
            super().handle_exit(sig, frame)
            super().handle_exit(sig, frame)  # of SIGINT, uvicorn's own second one
            return
        self._is_told = True
        # In a thread of its own: this frame interrupts one that may hold the very locks it takes.
        threading.Thread(target=self._exit, args=(sig, frame), name="exit", daemon=True).start()

    def _exit(self, sig: int, frame: FrameType | None) -> None:
        try:
            self._on_exit()
        finally:
            super().handle_exit(sig, frame)


def _stores(options: Options) -> Stores:
    if options.store == "sqlite":
        return sqlite_stores(options.data)
    return dynamodb_stores(AwsEndpoint.of(os.environ))


def _listening_socket(host: str, port: int) -> socket.socket:
    """Bound before anything is made, so that a taken port changes nothing.

    Raises:
        ConfigurationError: the port is taken, or the host is not ours (`CANNOT_LISTEN`).
    """
    # The protocol is named so that asyncio knows it for TCP and switches Nagle's algorithm off. Else the body of an answer
    # waits until the client has acknowledged its head, which takes clients 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", code="CANNOT_LISTEN"
        ) from error
    return listener
