"""Watchers of one stream, in a process of their own: `python -m bench.watching PORT PATH KEY COUNT RECEIPTS`.

Each is a socket that receives Server-Sent Events and looks at their ids alone, so that many of them cost little beside the server. It
resumes where a response ends, as `EventSource` does, until it gets 204. The process prints `ready` when all of them have an answer.
What it leaves in the file `RECEIPTS` is JSON: `{"faults": […], "responses": n, "receipts": {"<sequence>": [epoch ms, …]}}`.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import defaultdict
from functools import partial
from pathlib import Path

_HOST = "127.0.0.1"
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)
_FRAME_END = b"\n\n"
_AT_ONCE = 20
"""How many connections are being opened at a time."""


class Tally:
    """What all the watchers of this process have received."""

    def __init__(self) -> None:
        self.receipts: defaultdict[int, list[float]] = defaultdict(list)
        self.faults: list[str] = []
        self.responses = 0

    def write(self, path: Path) -> None:
        """Leave it where the bench looks."""
        left = {"faults": self.faults, "responses": self.responses, "receipts": self.receipts}
        path.write_text(json.dumps(left))


class Watcher:
    """One client. `answered` is done with its first answer."""

    def __init__(self, tally: Tally, number: int) -> None:
        self.position = 0
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.tally = tally
        self._number = number

    async def watch(self, port: int, path: str, key: str) -> None:
        """One response after the other, until there is nothing more to come."""
        loop = asyncio.get_running_loop()
        while True:
            response = _Response(self, loop.create_future())
            transport, _ = await loop.create_connection(partial(_itself, response), _HOST, port)
            transport.write(_request(path, key, self.position))
            self.tally.responses += 1
            if await response.ended == 204:
                return

    def receive(self, frames: bytes, at_ms: float) -> None:
        """Whole frames, which came at `at_ms`. Their ids must go on where the ones before ended."""
        for found in _ID.findall(frames):
            sequence = int(found)
            if sequence != self.position + 1:
                self.tally.faults.append(f"watcher {self._number}: {sequence} came after {self.position}")
            self.position = sequence
            self.tally.receipts[sequence].append(at_ms)


class _Response(asyncio.Protocol):
    """One connection. `ended` is its status, when the server has closed it."""

    def __init__(self, watcher: Watcher, ended: asyncio.Future[int]) -> None:
        self.ended = ended
        self._watcher = watcher
        self._rest = b""
        self._status: int | None = None

    def data_received(self, data: bytes) -> None:
        at_ms = time.time_ns() / 1e6
        data = self._rest + data
        if self._status is None:
            if b"\r\n\r\n" not in data:
                self._rest = data
                return
            self._status = int(data[9:12])
            if not self._watcher.answered.done():
                self._watcher.answered.set_result(None)
        whole = data.rfind(_FRAME_END) + 1
        self._rest = data[whole:]
        if whole:
            self._watcher.receive(data[:whole], at_ms)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None or self._status not in (200, 204):
            self._watcher.tally.faults.append(f"status {self._status}: {exc}")
        if not self.ended.done():
            self.ended.set_result(self._status or 0)


def _itself(response: _Response) -> _Response:
    return response


def _request(path: str, key: str, position: int) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {_HOST}", f"Authorization: Bearer {key}", "Connection: close"]
    lines += ["Accept: text/event-stream", f"Last-Event-ID: {position}", "", ""]
    return "\r\n".join(lines).encode("ascii")


async def _run(port: int, path: str, key: str, count: int, receipts: Path) -> None:
    tally, room = Tally(), asyncio.Semaphore(_AT_ONCE)

    async def begin(watcher: Watcher) -> asyncio.Task[None]:
        async with room:
            watching = asyncio.create_task(watcher.watch(port, path, key))
            await asyncio.wait([watching, watcher.answered], return_when="FIRST_COMPLETED")
            return watching

    watchers = [Watcher(tally, number) for number in range(count)]
    watching = await asyncio.gather(*map(begin, watchers))
    print("ready", flush=True)
    await asyncio.gather(*watching)
    tally.write(receipts)


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5])))
