"""What nothing costs: a local server and ten workers that wait, in processes of their own; and how soon a task ends the waiting.

CPU is what the kernel has accounted to each process (Linux). A task is received when its code begins in the worker's process; it was
created at the time of its `TASK_CREATED`. Both read the same clock.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from tempfile import TemporaryDirectory

from bench.measuring import Target, verdicts
from bench.serving import KEY, ORG, Serving, local_server
from flowstrand import TaskContext, WorkflowContext, task, workflow
from flowstrand.client import SyncClient
from tests.support.processes import clean_environment

WORKERS, SECONDS, TASKS = 10, 30.0, 60
_LIMIT_PERCENT, _LIMIT_MS = 2.0, 50.0
_REGISTERED_S, _SETTLED_S, _END_S = 120.0, 5.0, 10.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@task(name="receive")
async def receive(_ctx: TaskContext) -> float:
    """When it was received, in epoch milliseconds."""
    return time.time_ns() / 1e6


@workflow(name="receives")
async def receives(ctx: WorkflowContext) -> float:
    """One task."""
    return await ctx.schedule(receive)


def main() -> int:
    """Measure and report."""
    with ExitStack() as stack:
        server = stack.enter_context(local_server(__file__))
        client = stack.enter_context(SyncClient(server.url, KEY, ORG))
        workers = stack.enter_context(_workers(server))
        _await_registered(client)
        time.sleep(_SETTLED_S)
        of_server, of_workers = _percents(server.pid, workers)
        latencies_ms = [_latency_ms(client) for _ in range(TASKS)]
    median_ms = statistics.median(latencies_ms)
    print(f"{WORKERS} idle workers over {SECONDS:.0f} s, in percent of one core")
    print(f"  the server           {of_server:6.2f} %")
    print(f"  a worker, on average {of_workers / WORKERS:6.2f} %")
    print(f"  all of them          {of_server + of_workers:6.2f} %")
    print(
        f"{TASKS} tasks, from TASK_CREATED to a worker: median {median_ms:.1f} ms, at most {max(latencies_ms):.1f} ms"
    )
    print()
    return verdicts(
        [
            Target(what="the idle server", value=of_server, limit=_LIMIT_PERCENT, unit=" %"),
            Target(what="a task to an idle worker", value=median_ms, limit=_LIMIT_MS, unit=" ms"),
        ]
    )


@contextmanager
def _workers(server: Serving) -> Iterator[list[int]]:
    """Worker processes, by their ids."""
    arguments = [sys.executable, "-m", "flowstrand.cli", "worker", "--app", __file__, "--url", server.url]
    arguments += ["--api-key", KEY, "--org", ORG]
    with TemporaryDirectory(prefix="flowstrand-bench-") as folder, ExitStack() as stack:
        processes = [
            stack.enter_context(_process(arguments, Path(folder) / f"worker-{number}.log"))
            for number in range(WORKERS)
        ]
        yield [process.pid for process in processes]
        for process in processes:
            process.terminate()


@contextmanager
def _process(arguments: Sequence[str], log: Path) -> Iterator[Popen[bytes]]:
    with log.open("wb") as output:
        started = Popen(arguments, stdin=DEVNULL, stdout=output, stderr=STDOUT, env=clean_environment())
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(_END_S)
        except TimeoutExpired:  # it drains: the poll that it holds may last longer
            started.kill()
            started.wait()


def _await_registered(client: SyncClient) -> None:
    """Return when every worker is listed.

    Raises:
        RuntimeError: one has not come.
    """
    deadline_s = time.monotonic() + _REGISTERED_S
    while sum(1 for _ in client.workers.list()) < WORKERS:
        if time.monotonic() > deadline_s:
            raise RuntimeError("not every worker has registered")
        time.sleep(0.5)


def _percents(server: int, workers: Sequence[int]) -> tuple[float, float]:
    """What the server and all the workers computed meanwhile, in percent of one core."""
    pids = [server, *workers]
    began_s, before = time.monotonic(), [cpu_s(pid) for pid in pids]
    time.sleep(SECONDS)
    elapsed_s = time.monotonic() - began_s
    of_server, *of_workers = (
        100 * (cpu_s(pid) - computed_s) / elapsed_s for pid, computed_s in zip(pids, before, strict=True)
    )
    return of_server, sum(of_workers)


def cpu_s(pid: int) -> float:
    """User and system time of a process."""
    _, _, fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / _TICKS_A_SECOND


def _latency_ms(client: SyncClient) -> float:
    handle = client.start(receives)
    received_ms = handle.result(timeout=30)
    created_ms = next(
        datetime.fromisoformat(event.timestamp).timestamp() * 1_000
        for event in handle.events()
        if event.type == "TASK_CREATED"
    )
    return received_ms - created_ms


if __name__ == "__main__":
    sys.exit(main())
