"""Processes of other programs, for tests and benches that need real ones; none outlives its `with`."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

LOOPBACK = "127.0.0.1"
_START_S = 60.0
_END_S = 10.0


@contextmanager
def process(arguments: Sequence[str], environment: Mapping[str, str], log: Path, ready: str) -> Iterator[int]:
    """A process, from when it answers at the URL `ready`; yields its id.

    Raises:
        RuntimeError: it did not start; the message holds what it said.
    """
    with log.open("wb") as output:
        started = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=dict(environment)
        )
    try:
        _await_answer(started, log, ready)
        yield started.pid
    finally:
        started.terminate()
        try:
            started.wait(_END_S)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def clean_environment() -> dict[str, str]:
    """Ours, without what would lead a process to somebody else's server or store."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("FLOWSTRAND_", "AWS_"))}


def free_port() -> int:
    """One that nothing listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(started: subprocess.Popen[bytes], log: Path, url: str) -> None:
    deadline = time.monotonic() + _START_S
    while not _answers(url):
        if started.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{started.args!r} did not start: {log.read_text(errors='replace')[-2_000:]}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    """Whether anything HTTP is there and well; an emulator without a health page may refuse, as long as it answers."""
    try:
        return httpx2.get(url, timeout=2.0).status_code < 500
    except httpx2.TransportError:
        return False
