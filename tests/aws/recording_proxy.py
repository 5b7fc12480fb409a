"""What stands between a worker and the stack: it passes everything on, and remembers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx2

_DROPPED = {"connection", "content-encoding", "content-length", "host", "transfer-encoding"}
_WAIT_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request, and what was answered."""

    path: str
    answer: Any


class RecordingProxy:
    """Attributes: url: what stands for the stack's own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._seen: list[Exchange] = []
        self._changed = threading.Condition()

    def record(self, exchange: Exchange) -> None:
        """Remember it, and tell whoever waits."""
        with self._changed:
            self._seen.append(exchange)
            self._changed.notify_all()

    def await_exchange(self, is_meant: Callable[[Exchange], object]) -> Exchange:
        """The first that is meant; waits for it."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(is_meant, self._seen)), _WAIT_S), self._seen
            return next(exchange for exchange in self._seen if is_meant(exchange))


@contextmanager
def recording_proxy(target: str) -> Iterator[RecordingProxy]:
    """A proxy before a stack's URL."""
    stack = urlsplit(target)
    origin = f"{stack.scheme}://{stack.netloc}"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED}
            answer = client.request(self.command, origin + self.path, content=content, headers=headers)
            with suppress(ValueError):  # it is no JSON
                proxy.record(Exchange(path=urlsplit(self.path).path, answer=answer.json()))
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in _DROPPED:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            with suppress(OSError):  # whoever asked is dead
                self.wfile.write(answer.content)

        def do_GET(self) -> None:
            self._forward()

        def do_POST(self) -> None:
            self._forward()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with httpx2.Client(timeout=120) as client:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        proxy = RecordingProxy(f"http://127.0.0.1:{server.server_address[1]}{stack.path}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            server.shutdown()
            server.server_close()
