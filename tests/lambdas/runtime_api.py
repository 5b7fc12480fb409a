"""The Lambda Runtime API, version 2018-06-01, on loopback: what stands between an invocation and one process that serves it.

As the Lambda developer guide documents it: `next` waits for an event, `response` and `error` end an invocation, `init/error`
ends the process before its first. A response may be streamed, in chunks, with an error in its trailers.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

_ROOT = "/2018-06-01/runtime"
_PATIENCE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Invocation:
    """An event, and what becomes of it.

    Attributes:
        event: JSON.
        client_context: JSON, of a caller that sends one.
        path: of the report that ended it; None until then.
        chunks: what a streamed response has brought, as it comes; then None. Empty if it is not streamed.
        handed_out_s, answered_s: on a clock that goes on evenly.
    """

    request_id: str
    event: bytes
    timeout_ms: int
    client_context: str | None = None
    path: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: Mapping[str, str] = field(default_factory=dict)
    chunks: Queue[bytes | None] = field(default_factory=Queue)
    finished: threading.Event = field(default_factory=threading.Event)
    handed_out: threading.Event = field(default_factory=threading.Event)
    handed_out_s: float = 0.0
    answered_s: float = 0.0

    @property
    def is_error(self) -> bool:
        """Whether the runtime reported an error."""
        return self.path is not None and self.path.endswith("/error")

    @property
    def is_streamed(self) -> bool:
        """Whether the response came in streaming mode."""
        return self.headers.get("lambda-runtime-function-response-mode") == "streaming"

    def arriving(self) -> Iterator[bytes]:
        """The chunks of a streamed response, each when it is here, to the end.

        Raises:
            queue.Empty: none comes.
        """
        while (chunk := self.chunks.get(timeout=_PATIENCE_S)) is not None:
            yield chunk


class RuntimeApi:
    """One server for one function; its processes come and go.

    Attributes:
        initialization_error: what a process said that could not begin.
        has_initialized: set when a process has asked for its first event, or has said that it never will.
    """

    def __init__(self, function_arn: str) -> None:
        self._arn = function_arn
        self._waiting: Queue[Invocation | None] = Queue()
        self._running: dict[str, Invocation] = {}
        self.initialization_error: Mapping[str, Any] | None = None
        self.has_initialized = threading.Event()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                api.hand_out(self)

            def do_POST(self) -> None:
                api.take(self)

            def log_message(self, format: str, *arguments: object) -> None:
                """Silence."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def address(self) -> str:
        """What `AWS_LAMBDA_RUNTIME_API` is."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def submit(self, event: Any, *, timeout_ms: int, client_context: str | None = None) -> Invocation:
        """Have the process handle `event` next. Whatever comes of it is in what is returned, when it is `finished`."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        invocation = Invocation(
            request_id=str(uuid.uuid4()), event=body, timeout_ms=timeout_ms, client_context=client_context
        )
        self._waiting.put(invocation)
        return invocation

    def forget(self) -> None:
        """The process is gone: what it was told, it does not do; the next one starts anew."""
        # Its request for an event may still be waiting: the connection's thread would take the next process's.
        self._waiting.put(None)
        self._waiting = Queue()
        self._running.clear()
        self.initialization_error = None
        self.has_initialized = threading.Event()

    def close(self) -> None:
        """Let go of a process that waits, and stop."""
        self._waiting.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def hand_out(self, request: BaseHTTPRequestHandler) -> None:
        """Answer `next`, when there is something."""
        if request.path != f"{_ROOT}/invocation/next":
            request.send_error(404)
            return
        self.has_initialized.set()
        invocation = self._waiting.get()
        if invocation is None:
            request.close_connection = True
            return
        self._running[invocation.request_id] = invocation
        deadline_ms = time.time_ns() // 1_000_000 + invocation.timeout_ms
        trace = f"Root=1-{deadline_ms // 1_000:08x}-{invocation.request_id.replace('-', '')[:24]};Sampled=0"
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Lambda-Runtime-Aws-Request-Id", invocation.request_id)
        request.send_header("Lambda-Runtime-Deadline-Ms", str(deadline_ms))
        request.send_header("Lambda-Runtime-Invoked-Function-Arn", self._arn)
        request.send_header("Lambda-Runtime-Trace-Id", trace)
        if invocation.client_context is not None:
            request.send_header("Lambda-Runtime-Client-Context", invocation.client_context)
        request.send_header("Content-Length", str(len(invocation.event)))
        request.end_headers()
        invocation.handed_out_s = time.perf_counter()
        request.wfile.write(invocation.event)
        invocation.handed_out.set()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Take a report."""
        if request.path == f"{_ROOT}/init/error":
            self.initialization_error = json.loads(_whole(request))
            self.has_initialized.set()
            _accept(request)
            return
        prefix, _, rest = request.path.rpartition("/invocation/")
        request_id, _, kind = rest.partition("/")
        invocation = self._running.pop(request_id, None)
        if prefix != _ROOT or invocation is None or kind not in {"response", "error"}:
            _whole(request)
            request.send_error(400)
            return
        invocation.headers = {name.lower(): value for name, value in request.headers.items()}
        invocation.path = request.path
        if invocation.headers.get("transfer-encoding") == "chunked":
            _read_chunks(request, invocation)
        else:
            invocation.body = _whole(request)
        invocation.answered_s = time.perf_counter()
        _accept(request)
        invocation.chunks.put(None)
        invocation.finished.set()


class _Server(ThreadingHTTPServer):
    """A server that thinks nothing of clients that are killed."""

    def handle_error(self, request: object, client_address: object) -> None:
        """What a connection's thread raised."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # a socket, which it only prints


def _accept(request: BaseHTTPRequestHandler) -> None:
    request.send_response(202)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", "16")
    request.end_headers()
    request.wfile.write(b'{"status": "OK"}')


def _whole(request: BaseHTTPRequestHandler) -> bytes:
    return request.rfile.read(int(request.headers.get("Content-Length", "0")))


def _read_chunks(request: BaseHTTPRequestHandler, invocation: Invocation) -> None:
    whole: list[bytes] = []
    while size := int(request.rfile.readline().partition(b";")[0], 16):
        whole.append(request.rfile.read(size))
        assert request.rfile.readline() == b"\r\n"
        if invocation.is_streamed:
            invocation.chunks.put(whole[-1])
    trailers: dict[str, str] = {}
    while line := request.rfile.readline().strip():
        name, _, value = line.decode().partition(": ")
        trailers[name.lower()] = value
    invocation.body, invocation.trailers = b"".join(whole), trailers
