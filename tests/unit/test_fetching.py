"""What the authorizer asks for over the network: from who is configured, over TLS, once, and not much of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flowstrand.aws import fetching
from flowstrand.service.callers.unverifiable import Unverifiable


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked.append(self.path)
        status = int(self.path.strip("/").partition("?")[0])
        body = b"x" * (fetching.MAX_BYTES + 1) if status == 299 else b"{}"
        self.send_response(200 if status == 299 else status)
        self.send_header("Location", "/200")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


asked: list[str] = []


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_document_is_fetched_as_it_is(url: str) -> None:
    assert fetching.fetch(f"{url}/200?a=b") == b"{}"
    assert asked[-1] == "/200?a=b"


@pytest.mark.parametrize("status", [204, 301, 302, 307, 404, 500, 299])
def test_anything_but_a_short_answer_of_200_is_none_and_no_redirect_is_followed(url: str, status: int) -> None:
    before = len(asked)
    with pytest.raises(Unverifiable):
        fetching.fetch(f"{url}/{status}")
    assert len(asked) == before + 1


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "https:///x",
        "//x",
        "",
        "http://127.0.0.1.example.com/",
        "https://[x",
    ],
)
def test_without_tls_nobody_but_this_machine_is_asked(url: str) -> None:
    assert not fetching.is_fetchable(url)
    with pytest.raises(Unverifiable):
        fetching.fetch(url)


def test_what_cannot_be_reached_is_said_without_what_was_asked() -> None:
    with pytest.raises(Unverifiable) as raised:
        fetching.answer("http://127.0.0.1:9/?secret=1", {"x": "y"})
    assert "secret" not in str(raised.value)
    with pytest.raises(Unverifiable):
        fetching.answer("https://127.0.0.1:9/a b", {})
