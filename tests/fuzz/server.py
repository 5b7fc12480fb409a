"""The local server in a process of its own: SQLite in a folder that is gone afterwards, on a free port of 127.0.0.1."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

HOST = "127.0.0.1"
APP = Path(__file__).with_name("app.py")

_BOUNDS: Mapping[str, str] = {
    # Streams and long-polls end by themselves, soon enough to be asked many.
    "FLOWSTRAND_STREAM_MS": "400",
    "FLOWSTRAND_STREAM_HEARTBEAT_MS": "200",
    "FLOWSTRAND_LONG_POLL_MS": "200",
    # Leases outlive the run: what is claimed at its beginning can be reported all along.
    "FLOWSTRAND_LEASE_MS": "7200000",
}
_START_S, _END_S, _POLL_S = 60.0, 15.0, 0.1


class ServerDied(Exception):
    """The server ended by itself; its last words are the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where it is, what opens it, and what it has said so far."""

    url: str
    api_key: str
    data: Path
    log: Path
    process: subprocess.Popen[bytes]

    def require_alive(self) -> None:
        """Raise `ServerDied` unless it still runs."""
        if self.process.poll() is not None:
            raise ServerDied(self.log.read_text(encoding="utf-8", errors="replace")[-4_000:])


@contextmanager
def running(folder: Path, api_key: str) -> Iterator[Server]:
    """A server whose data is in `folder`, ready; it is ended afterwards.

    Raises:
        ServerDied: it does not start.
    """
    port, data, log = _free_port(), folder / "data", folder / "server.log"
    arguments = ["dev", "--port", str(port), "--app", str(APP), "--data", str(data)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "flowstrand.cli", *arguments, "--api-key", api_key, "--no-tasks"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
        )
    server = Server(url=f"http://{HOST}:{port}", api_key=api_key, data=data, log=log, process=process)
    try:
        _wait_for(server)
        yield server
    finally:
        _end(process)


def _wait_for(server: Server) -> None:
    deadline = time.monotonic() + _START_S
    while not _is_ready(server.url):
        server.require_alive()
        if time.monotonic() > deadline:
            raise ServerDied("the server does not answer")
        time.sleep(_POLL_S)


def _is_ready(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/_/health", timeout=2.0).is_success
    except httpx2.TransportError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Ours, without what would lead the server to somebody else's store."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FLOWSTRAND_", "AWS_"))}
    return {**kept, **_BOUNDS, "PYTHONUNBUFFERED": "1"}


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
