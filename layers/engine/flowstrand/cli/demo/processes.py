"""The demo's processes: a server, a worker, and an emulator of DynamoDB where one is wanted. None outlives the demo."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from flowstrand.dataclass import dataclass
from flowstrand.errors import Unavailable
from flowstrand.local.options import StoreName

_START_S = 60.0
_END_S = 8.0
_POLL_S = 0.05
_LAST_WORDS = 2_000
_APP = "workflows"
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running server with a worker."""

    url: str
    api_key: str


@contextmanager
def running_stack(store: StoreName) -> Iterator[Stack]:
    """A server on a free port, without tasks of its own, and a worker in another process; all gone afterwards.

    Raises:
        Unavailable: a process did not start; the message holds its last words.
    """
    from flowstrand.local.keys import DEV_KEY
    from flowstrand.local.server import HEALTH

    with (
        TemporaryDirectory(prefix="flowstrand-demo-", ignore_cleanup_errors=True) as folder,
        closing(_Processes(Path(folder))) as processes,
    ):
        environment = _clean_environment()
        if store == "dynamodb":
            environment["FLOWSTRAND_DYNAMODB_ENDPOINT"] = _start_emulator(processes, environment)
        port, data = _free_port(), Path(folder) / "data"
        url = f"http://{_HOST}:{port}"
        options = ["--host", _HOST, "--port", str(port), "--data", str(data), "--store", store, "--app", _APP]
        server = ["flowstrand.cli", "dev", *options, "--no-tasks"]
        processes.start("server", server, environment, url + HEALTH)
        api_key = (data / DEV_KEY).read_text().strip()
        worker = ["flowstrand.cli", "worker", "--app", _APP, "--url", url]
        processes.start("worker", worker, {**environment, "FLOWSTRAND_API_KEY": api_key})
        yield Stack(url=url, api_key=api_key)


def _start_emulator(processes: _Processes, environment: Mapping[str, str]) -> str:
    """Moto's server; its URL."""
    port = _free_port()
    url = f"http://{_HOST}:{port}"
    arguments = ["flowstrand.cli.demo.emulator", str(port)]
    processes.start("emulator", arguments, environment, f"{url}/moto-api/data.json")
    return url


class _Processes:
    """Processes that run our interpreter, their output in files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def start(
        self, name: str, arguments: list[str], environment: Mapping[str, str], url: str | None = None
    ) -> None:
        """Start `python -m …`; with `url`, return when that answers.

        Raises:
            Unavailable: it ended, or does not answer.
        """
        output = self._folder / f"{name}.log"
        with output.open("wb") as file:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=dict(environment),
            )
        self._running.append(process)
        deadline = time.monotonic() + _START_S
        while url is not None and not _answers(url):
            if process.poll() is not None or time.monotonic() > deadline:
                words = output.read_text(errors="replace")[-_LAST_WORDS:].strip()
                raise Unavailable(f"the demo's {name} did not start: {words}", code="DEMO_NOT_STARTED")
            time.sleep(_POLL_S)

    def close(self) -> None:
        """End all, by force if need be. All are told first: a worker that drains waits for its server's answer."""
        for process in reversed(self._running):
            process.terminate()
        deadline = time.monotonic() + _END_S
        for process in self._running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(url: str) -> bool:
    import httpx2

    try:
        return httpx2.get(url, timeout=2.0).is_success
    except httpx2.TransportError:
        return False


def _clean_environment() -> dict[str, str]:
    """Ours, without what would lead a process of the demo to somebody else's server or store."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FLOWSTRAND_", "AWS_")) and not name.lower().endswith("_proxy")
    } | {"PYTHONUNBUFFERED": "1"}


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
