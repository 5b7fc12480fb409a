"""A fake of the Lambda Runtime API, on a loopback socket."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any


@dataclass
class Received:
    """One POST as it arrived, whole at `at_ms`. `chunks` are those of the wire, None where the body was not chunked."""

    path: str
    headers: dict[str, str]
    chunks: list[bytes] | None = None
    trailers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    at_ms: int = 0
    deadline_ms: int = 0


class FakeRuntimeApi:
    """Answers `next` from a queue of events and remembers every report. Without events left it answers 500.

    Attributes:
        chunk_arrived: every chunk, as soon as it is here.
        connections_of_next: the client's port, for each `next`.
        time_ms: how long an invocation may last.
        trace_id: of every invocation; None for none.
        closes_after_next: the connection is closed without a word, as an idle one may be.
        breaks_after_chunks: a response's connection is closed after so many.
        status_of_response, status_of_error: what responses and reports of errors are answered with.
        is_waiting: set when `next` was asked for and there is no event; with `holds`, the answer then waits for `release`.
    """

    def __init__(self, *, holds: bool = False) -> None:
        self.events: Queue[dict[str, Any] | None] = Queue()
        self.reports: list[Received] = []
        self.chunk_arrived: Queue[bytes] = Queue()
        self.connections_of_next: list[int] = []
        self.closes_after_next = False
        self.breaks_after_chunks: int | None = None
        self.status_of_response = 202
        self.status_of_error = 202
        self.time_ms = 60_000
        self.trace_id: str | None = "Root=1-2"
        self.is_waiting = threading.Event()
        self._released = threading.Event()
        self._holds = holds
        self._deadline_ms = 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                fake.answer_next(self)

            def do_POST(self) -> None:
                fake.receive(self)

            def log_message(self, format: str, *arguments: object) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False  # closing the server joins its threads
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def release(self) -> None:
        """Let a `next` that waits have its answer."""
        self._released.set()

    def forget(self) -> None:
        """Drop what has arrived."""
        self.reports.clear()
        while not self.chunk_arrived.empty():
            self.chunk_arrived.get()

    def close(self) -> None:
        self.release()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer_next(self, request: BaseHTTPRequestHandler) -> None:
        self.connections_of_next.append(request.client_address[1])
        event = None if self.events.empty() else self.events.get()
        if event is None:
            self.is_waiting.set()
            if self._holds:
                self._released.wait()
        body = b"" if event is None else json.dumps(event).encode()
        self._deadline_ms = now_ms() + self.time_ms
        request.send_response(500 if event is None else 200)
        request.send_header("Lambda-Runtime-Aws-Request-Id", f"request-{len(self.connections_of_next)}")
        request.send_header("Lambda-Runtime-Deadline-Ms", str(self._deadline_ms))
        request.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:stream")
        if self.trace_id is not None:
            request.send_header("Lambda-Runtime-Trace-Id", self.trace_id)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
        request.close_connection = self.closes_after_next

    def receive(self, request: BaseHTTPRequestHandler) -> None:
        received = Received(request.path, dict(request.headers.items()))
        if request.headers.get("Transfer-Encoding") == "chunked":
            if not self._receive_chunks(request, received):
                request.close_connection = True
                return
        else:
            received.body = request.rfile.read(int(request.headers["Content-Length"]))
        received.at_ms, received.deadline_ms = now_ms(), self._deadline_ms
        self.reports.append(received)
        request.send_response(self.status_of_response if received.chunks is not None else self.status_of_error)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _receive_chunks(self, request: BaseHTTPRequestHandler, received: Received) -> bool:
        received.chunks = []
        while size := int(request.rfile.readline(), 16):
            chunk = request.rfile.read(size)
            assert request.rfile.readline() == b"\r\n"
            received.chunks.append(chunk)
            self.chunk_arrived.put(chunk)
            if len(received.chunks) == self.breaks_after_chunks:
                return False
        while line := request.rfile.readline().strip():
            name, _, value = line.decode().partition(": ")
            received.trailers[name] = value
        return True


def now_ms() -> int:
    """The time of day, which is what deadlines are in."""
    return time.time_ns() // 1_000_000
