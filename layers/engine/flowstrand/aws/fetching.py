"""One GET over HTTPS, as the authorizer makes it: to a server that is configured, for a short document, at once or not at all.

No redirects: what is asked is who was configured. Without TLS only this machine is asked, for development.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from functools import cache
from urllib.parse import urlsplit

from flowstrand.service.callers.unverifiable import Unverifiable

TIMEOUT_S = 2.0
"""How long each step may take, and after which no more of a body is read. Two requests in a row fit into what the authorizer has."""
MAX_BYTES = 256 * 1024

_CHUNK = 16 * 1024
_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


def is_fetchable(url: str) -> bool:
    """Whether `url` is one that is asked: HTTPS, or this machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _THIS_MACHINE)
        )
    except ValueError:
        return False


def fetch(url: str) -> bytes:
    """The body of a 200.

    Raises:
        Unverifiable: there is none, in time, of at most 256 KiB.
    """
    status, body = answer(url, {"Accept": "application/json"})
    if status != http.client.OK:
        raise Unverifiable(f"{urlsplit(url).hostname} answered {status}")
    return body


def answer(url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Status and body of whatever is answered.

    Raises:
        Unverifiable: nothing is, in time, of at most 256 KiB.
    """
    if not is_fetchable(url):
        raise Unverifiable("a URL without TLS is not asked")
    parts = urlsplit(url)
    until_s = time.monotonic() + TIMEOUT_S
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers=dict(headers))
        response = connection.getresponse()
        return response.status, _body(response, until_s=until_s)
    except (OSError, http.client.HTTPException, ValueError) as error:
        # Of the error only its class: what it says may hold what was asked.
        raise Unverifiable(f"{parts.hostname} does not answer: {type(error).__name__}") from None
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=_tls())


def _body(response: http.client.HTTPResponse, *, until_s: float) -> bytes:
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > MAX_BYTES or time.monotonic() > until_s:
            raise ValueError("too much, or too slow")
    return bytes(body)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
