"""What watching costs: a thousand watchers of one execution on one local server, and how soon a commit reaches one of them.

The server, and the watchers, are processes of their own. The execution is sent a signal ten times a second: one commit, one event. A
commit's time is that at which the store had it; a receipt's, that at which its bytes were read from the socket. Both read the same clock.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from bench.idle import cpu_s
from bench.measuring import Target, verdicts
from bench.serving import KEY, ORG, Serving, local_server
from flowstrand import WorkflowContext, workflow
from flowstrand.client import SyncClient, SyncHandle
from tests.support.processes import clean_environment

WATCHERS, SECONDS, A_SECOND = 1_000, 30.0, 10
_LIMIT_P99_MS, _LIMIT_KB, _LIMIT_MEDIAN_MS = 500.0, 100.0, 5.0
_WARM_UP, _ALONE_S = 20, 10.0
_END_S = 120.0


@workflow(name="watched")
async def watched(ctx: WorkflowContext) -> None:
    """Goes on until it is told to end, and takes no notice of other signals."""
    await ctx.wait_for_signal("end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What the server used.

    Attributes:
        cpu_percent: what it computed while all watched, in percent of one core.
        kilobytes: what its memory grew by, from before the watchers came until just before they went.
    """

    cpu_percent: float
    kilobytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One execution, from its first event to its last, as its watchers had it.

    Attributes:
        latencies_ms: from each commit that was made while all watched to each receipt.
        faults: events that were lost, repeated or out of order, and broken connections; a few of them.
        queries: how many statements read the log, for whatever reason.
    """

    latencies_ms: list[float]
    faults: list[str]
    events: int
    responses: int
    queries: int
    used: Used


def main() -> int:
    """Measure and report."""
    with TemporaryDirectory(prefix="flowstrand-bench-") as folder:
        notes = Path(folder) / "commits.json"
        variables = {"BENCH_COMMITS": str(notes)}
        with local_server(__file__, module="bench.watched_server", variables=variables) as server:
            bench = _Bench(server, notes, Path(folder) / "receipts.json")
            bench.run(_WARM_UP, 2.0)
            alone = bench.run(1, _ALONE_S)
            together = bench.run(WATCHERS, SECONDS)
    _print("one watcher", 1, alone)
    _print(f"{WATCHERS} watchers", WATCHERS, together)
    print()
    return verdicts(
        [
            Target(what="faults", value=len(alone.faults) + len(together.faults), limit=1),
            Target(what="p99 to a watcher of many", value=_p99(together), limit=_LIMIT_P99_MS, unit=" ms"),
            Target(
                what="memory of a watcher", value=together.used.kilobytes / WATCHERS, limit=_LIMIT_KB, unit=" KB"
            ),
            Target(
                what="median to one watcher",
                value=statistics.median(alone.latencies_ms),
                limit=_LIMIT_MEDIAN_MS,
                unit=" ms",
            ),
        ]
    )


class _Bench:
    """A server and where it, and the watchers, leave what they have noted."""

    def __init__(self, server: Serving, notes: Path, receipts: Path) -> None:
        self._server = server
        self._notes = notes
        self._receipts = receipts

    def run(self, watchers: int, seconds: float) -> Watched:
        """Start an execution, have it watched, and signal it for `seconds`, then end it."""
        with SyncClient(self._server.url, KEY, ORG) as client:
            handle = client.start(watched)
            before_kb = _resident_kb(self._server.pid)
            with self._watching(handle, watchers):
                first = handle.signal("tick")
                computed_s, began_s = cpu_s(self._server.pid), time.monotonic()
                last = _tick(handle, seconds)
                percent = 100 * (cpu_s(self._server.pid) - computed_s) / (time.monotonic() - began_s)
                grown_kb = _resident_kb(self._server.pid) - before_kb
                handle.signal("end")
        noted = self._noted(handle)
        received = json.loads(self._receipts.read_text())
        return _watched(noted, received, (first, last), watchers, Used(cpu_percent=percent, kilobytes=grown_kb))

    @contextmanager
    def _watching(self, handle: SyncHandle[None], watchers: int) -> Iterator[None]:
        """The watchers' process, from when all have an answer until all have had the end."""
        port = urlsplit(self._server.url).port
        path = f"/api/orgs/{ORG}/workflow-executions/{handle.id}/stream"
        arguments = [
            sys.executable,
            "-m",
            "bench.watching",
            str(port),
            path,
            KEY,
            str(watchers),
            str(self._receipts),
        ]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, env=clean_environment())
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != b"ready":
                raise RuntimeError("the watchers did not start")
            yield
            process.wait(_END_S)
        finally:
            process.kill()
            process.wait()

    def _noted(self, handle: SyncHandle[None]) -> Any:
        """What `bench.watched_server` has noted of the log."""
        self._notes.unlink(missing_ok=True)
        os.kill(self._server.pid, signal.SIGUSR1)
        while not self._notes.exists():
            time.sleep(0.05)
        return json.loads(self._notes.read_text())[f"{ORG}#{handle.id}"]


def _watched(noted: Any, received: Any, span: tuple[int, int], watchers: int, used: Used) -> Watched:
    """What came of it. `span` is from the first signal that all watched to the last."""
    first, last = span
    committed_ms = {
        sequence: at_ms for begin, end, at_ms in noted["commits"] for sequence in range(begin, end + 1)
    }
    receipts = {int(sequence): at_ms for sequence, at_ms in received["receipts"].items()}
    lost = [
        f"{n} had {len(receipts.get(n, []))} receipts"
        for n in committed_ms
        if len(receipts.get(n, [])) != watchers
    ]
    return Watched(
        latencies_ms=[at_ms - committed_ms[n] for n in range(first, last + 1) for at_ms in receipts.get(n, [])],
        faults=[*received["faults"], *lost],
        events=last - first + 1,
        responses=received["responses"],
        queries=noted["queries"],
        used=used,
    )


def _tick(handle: SyncHandle[None], seconds: float) -> int:
    """Signal for as long; returns the sequence of the last signal. One that is late does not make the others late."""
    began_s, last = time.monotonic(), 0
    for number in range(round(seconds * A_SECOND)):
        time.sleep(max(0.0, began_s + number / A_SECOND - time.monotonic()))
        last = handle.signal("tick", number)
    time.sleep(1.0)
    return last


def _print(what: str, watchers: int, seen: Watched) -> None:
    latencies = sorted(seen.latencies_ms)
    print(f"{what}, {seen.events} events, each a commit of its own")
    print(
        f"  from commit to receipt   median {statistics.median(latencies):.1f} ms, p99 {_p99(seen):.1f} ms, at most {latencies[-1]:.1f} ms"
    )
    print(
        f"  the server               {seen.used.cpu_percent:.0f} % of one core, {seen.used.kilobytes / watchers:.0f} KB for each watcher"
    )
    print(f"  statements that read it  {seen.queries / seen.events:.1f} for each event")
    print(f"  responses                {seen.responses}; faults: {len(seen.faults)} {seen.faults[:3] or ''}")


def _p99(seen: Watched) -> float:
    return statistics.quantiles(seen.latencies_ms, n=100)[98]


def _resident_kb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


if __name__ == "__main__":
    sys.exit(main())
