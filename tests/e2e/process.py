"""`flowstrand dev` as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2

from flowstrand.client import Client

APP = Path(__file__).with_name("app.py")
KEY = "k"
_START_S = 60.0
_END_S = 15.0


class DevProcess:
    """A server on a data folder. Started again after a kill, it keeps its port."""

    def __init__(self, folder: Path, *options: str, key: str | None = KEY) -> None:
        self.data = folder / "data"
        self.output = folder / "output.log"
        self._options = [*options, *(["--api-key", key] if key else [])]
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def client(self, key: str = KEY) -> Client:
        return Client(self.url, key, "dev")

    def start(self) -> None:
        """Start it and wait until it is ready."""
        arguments = ["--port", str(self._port), "--app", str(APP), "--data", str(self.data), *self._options]
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flowstrand.cli", "dev", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A killed server takes its worker along: its lease should not take long to end.
                env={**os.environ, "FLOWSTRAND_LEASE_MS": "1500", "FLOWSTRAND_HEARTBEAT_MS": "300"},
            )
        self._await_ready()

    def kill(self) -> None:
        """SIGKILL: no instruction of it runs any more."""
        self._signal(signal.SIGKILL)

    def terminate(self) -> int:
        """SIGTERM; its exit status."""
        return self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(_END_S)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while not self._is_ready():
            assert self._process is not None
            text = self.output.read_text()
            assert self._process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        if not self._port:
            _, found, rest = self.output.read_text().partition("listens on http://127.0.0.1:")
            self._port = int(rest.split()[0]) if found and rest.endswith("\n") else 0
        try:
            return bool(self._port) and httpx2.get(f"{self.url}/_/health").status_code == 200
        except httpx2.TransportError:
            return False
