"""What stands between a client and the server: a proxy that cuts connections, and one that holds answers back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx2

_CHUNK = 65_536


class CuttingProxy:
    """Passes bytes on until `cut` is called, which ends every connection that is open; new ones are welcome.

    Attributes:
        url: where it listens.
        cuts: how many connections it has cut.
    """

    def __init__(self, target: str) -> None:
        self._target = (urlsplit(target).hostname, urlsplit(target).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        with self._lock:
            self.cuts += len(self._open)
            for client in self._open:
                with suppress(OSError):  # it has ended already
                    client.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # it was closed
                return
            with self._lock:
                self._open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with closing(client), socket.create_connection(self._target) as server:
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join()
        with self._lock:
            self._open.discard(client)


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Until one of the two has ended, which ends the other."""
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            sink.sendall(chunk)
    for end in (source, sink):
        with suppress(OSError):  # it has ended already
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting_proxy(target: str) -> Iterator[CuttingProxy]:
    """Before a server."""
    proxy = CuttingProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def buffering_proxy(target: str) -> Iterator[str]:
    """The URL of a proxy that sends nothing of an answer, not even its head, before it has all of it."""

    class Handler(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            try:
                answer = client.get(self.path, headers=headers)
            except httpx2.TransportError:  # the test is over
                return
            self.send_response(answer.status_code)
            self.send_header("content-type", answer.headers.get("content-type", ""))
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            try:
                self.wfile.write(answer.content)
            except OSError:  # whoever asked did not wait
                return

        def do_GET(self) -> None:
            self._forward()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with httpx2.Client(base_url=target, timeout=None) as client:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
