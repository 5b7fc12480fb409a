"""A thousand parallel tasks of one execution, finished by 32 concurrent callers over HTTP: how long, and how many write units.

On SQLite the local server is timed. On DynamoDB (see `bench.dynoxide`) what each completion consumes is counted, by what the store itself
says; there the callers' requests go to four server processes, since Lambda would have even more: writers of one process wait for each
other, and only those of different ones conflict. Both runs check that every completion is in the log once, and in the order of
acknowledgement.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import httpx2

from bench.measuring import Target, verdicts
from bench.serving import KEY, ORG, Serving, local_server
from flowstrand.client import SyncClient
from tests.support.dynoxide import dynamodb_endpoint
from tests.support.processes import clean_environment, free_port, process

TASKS, CALLERS = 1_000, 32
_SERVERS = 4
_APP = str(Path(__file__).with_name("fanout.py"))
_LEASE = {"FLOWSTRAND_LEASE_MS": "60000"}
"""As in AWS; the local server's own default is shorter."""
_LIMIT_S, _LIMIT_UNITS = 20.0, 3.0

Counts: TypeAlias = dict[str, dict[str, float]]
"""As `bench.counted_server` writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """One completion, as its caller saw it; times of one clock, in seconds."""

    task_id: str
    sequence: int
    asked_at_s: float
    answered_at_s: float


class Callers:
    """32 of them, each with connections of its own."""

    def __init__(self, servers: Sequence[Serving]) -> None:
        """The first of `servers` hands out the tasks; reports go to each in turn."""
        self._urls = [f"{serving.url}/api/orgs/{ORG}" for serving in servers]
        self._local = threading.local()

    def claim_all(self) -> list[dict[str, Any]]:
        """Every attempt, claimed ten at a time."""
        claimed: list[dict[str, Any]] = []
        with ThreadPoolExecutor(CALLERS) as pool:
            while len(claimed) < TASKS:
                for found in pool.map(lambda _: self._poll(), range(CALLERS)):
                    claimed += found
        return claimed

    def complete_all(self, claimed: list[dict[str, Any]]) -> list[Acknowledged]:
        """Complete each task with its input."""
        with ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(self._complete, claimed, itertools.cycle(self._urls)))

    def _poll(self) -> list[dict[str, Any]]:
        body = {"workerId": "bench", "kinds": ["work"], "max": 10, "wait": 1}
        tasks: list[dict[str, Any]] = self._post(f"{self._urls[0]}/queues/default/poll", body)["tasks"]
        return tasks

    def _complete(self, task: dict[str, Any], server: str) -> Acknowledged:
        asked_at_s = time.monotonic()
        url = f"{server}/task-executions/{task['taskExecutionId']}/complete"
        answer = self._post(url, {"leaseToken": task["leaseToken"], "output": task["input"]})
        return Acknowledged(
            task_id=task["taskExecutionId"],
            sequence=answer["sequence"],
            asked_at_s=asked_at_s,
            answered_at_s=time.monotonic(),
        )

    def _post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        """As a worker does it: sent again where the connection broke, and after a while where the server says so."""
        while True:
            try:
                answer = self._client.post(url, json=body)
            except httpx2.TransportError:
                continue
            if answer.is_success:
                found: dict[str, Any] = answer.json()
                return found
            if answer.status_code != 503:
                raise RuntimeError(f"{url}: {answer.status_code} {answer.text}")
            time.sleep(float(answer.headers["Retry-After"]))

    @property
    def _client(self) -> httpx2.Client:
        client: httpx2.Client | None = getattr(self._local, "client", None)
        if client is None:
            client = httpx2.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=30.0)
            self._local.client = client
        return client


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How long the parts of a run took, in seconds."""

    started_s: float
    claimed_s: float
    completed_s: float
    ended_s: float

    @property
    def total_s(self) -> float:
        """From the start of the execution to its output."""
        return self.started_s + self.claimed_s + self.completed_s + self.ended_s

    def __str__(self) -> str:
        parts = f"{self.claimed_s:.1f} s to claim, {self.completed_s:.1f} s to complete, {self.ended_s:.1f} s to the output"
        return f"{self.total_s:.1f} s: {self.started_s:.1f} s to start, {parts}"


def run(servers: Sequence[Serving], between: Callable[[], None] = lambda: None) -> Run:
    """One execution, checked.

    Args:
        between: called when all is claimed and nothing completed, and again when all is completed.

    Raises:
        AssertionError: a completion is lost, doubled, or out of order.
    """
    callers = Callers(servers)
    with SyncClient(servers[0].url, KEY, ORG) as client:
        began_s = time.monotonic()
        handle = client.start("fanout", TASKS)
        started_s = time.monotonic()
        claimed = callers.claim_all()
        between()
        claimed_s = time.monotonic()
        acknowledged = callers.complete_all(claimed)
        completed_s = time.monotonic()
        between()
        again_s = time.monotonic()
        assert handle.result(timeout=60) == sum(range(TASKS))
        ended_s = time.monotonic()
        check(acknowledged, list(handle.events()))
    return Run(
        started_s=started_s - began_s,
        claimed_s=claimed_s - started_s,
        completed_s=completed_s - claimed_s,
        ended_s=ended_s - again_s,
    )


def check(acknowledged: list[Acknowledged], events: list[Any]) -> None:
    """Every completion once, where its caller was told; and what was acknowledged before another was sent stands before it.

    Raises:
        AssertionError: it is not so.
    """
    recorded = [
        (event.data["taskExecutionId"], event.sequence) for event in events if event.type == "TASK_COMPLETED"
    ]
    assert sorted(recorded) == sorted((one.task_id, one.sequence) for one in acknowledged)
    assert len({task for task, _ in recorded}) == TASKS
    newest = 0
    by_answer = sorted(acknowledged, key=lambda one: one.answered_at_s)
    answered = iter(by_answer)
    following = next(answered, None)
    for one in sorted(acknowledged, key=lambda one: one.asked_at_s):
        while following is not None and following.answered_at_s < one.asked_at_s:
            newest, following = max(newest, following.sequence), next(answered, None)
        assert one.sequence > newest, f"{one} stands before what was acknowledged before it was sent"


@contextmanager
def on_dynamodb() -> Iterator[tuple[list[Serving], Callable[[], Counts]]]:
    """Counting servers on one DynamoDB, and how to ask them for what they have counted so far."""
    with TemporaryDirectory(prefix="flowstrand-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        s3_port = free_port()
        s3_url = f"http://127.0.0.1:{s3_port}"
        s3 = [sys.executable, "-m", "flowstrand.cli.demo.emulator", str(s3_port)]
        stack.enter_context(process(s3, clean_environment(), folder / "s3.log", f"{s3_url}/moto-api/data.json"))
        variables = {
            "FLOWSTRAND_DYNAMODB_ENDPOINT": stack.enter_context(dynamodb_endpoint(folder)),
            "AWS_ENDPOINT_URL_S3": s3_url,
            **_LEASE,
        }
        files = [folder / f"counts-{number}.json" for number in range(_SERVERS)]
        servers = [
            stack.enter_context(
                local_server(
                    _APP,
                    module="bench.counted_server",
                    store="dynamodb",
                    variables={**variables, "BENCH_COUNTS": str(file)},
                    data=folder / "data",
                )
            )
            for file in files
        ]
        yield servers, lambda: _sum([_counts(one.pid, file) for one, file in zip(servers, files, strict=True)])


def _sum(counts: list[Counts]) -> Counts:
    total: Counts = {}
    for one in counts:
        for name, row in one.items():
            before = total.get(name, {})
            total[name] = {what: amount + before.get(what, 0) for what, amount in row.items()}
    return total


def _counts(pid: int, path: Path) -> Counts:
    path.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, "the server does not count"
        time.sleep(0.02)
    found: Counts = json.loads(path.read_text())
    return found


def main() -> int:
    """Run on both stores and report."""
    with local_server(_APP, variables=_LEASE) as serving:
        sqlite = run([serving])
    print(f"local server, SQLite: {sqlite}")
    snapshots: list[Counts] = []
    with on_dynamodb() as (servers, counts):
        dynamo = run(servers, lambda: snapshots.append(counts()))
    print(f"{_SERVERS} local servers, DynamoDB: {dynamo}")
    before, after = snapshots
    spent = {name: _difference(row, before.get(name, {})) for name, row in after.items()}
    for name, row in sorted(spent.items()):
        if any(row.values()):
            print(
                f"  {name:60} {row['units']:8.0f} units {row['calls']:6.0f} writes {row['refused']:6.0f} refused"
            )
    units = sum(row["units"] for name, row in spent.items() if name.startswith("service/")) / TASKS
    refused = sum(row["refused"] for name, row in spent.items() if name.startswith("service/")) / TASKS
    return verdicts(
        [
            Target(what=f"{TASKS} tasks, {CALLERS} callers", value=sqlite.total_s, limit=_LIMIT_S, unit=" s"),
            Target(what="write units a completion", value=units, limit=_LIMIT_UNITS),
            Target(what="  with each refused write as one unit", value=units + refused, limit=_LIMIT_UNITS),
        ]
    )


def _difference(row: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {name: value - before.get(name, 0) for name, value in row.items()}


if __name__ == "__main__":
    sys.exit(main())
