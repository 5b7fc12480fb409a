"""S10: a worker is killed in the middle of a task: its lease runs out, another does the work, and its late result is refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.aws.recording_proxy import recording_proxy
from tests.aws.stack import Stack

APP = Path(__file__).with_name("workflows") / "aws_scenarios.py"
QUEUE = "by-workers"
LOG = [
    "WORKFLOW_STARTED",
    "TASK_CREATED",
    "WORKFLOW_SUSPENDED",
    "TASK_STARTED",
    "TASK_FAILED",
    "TASK_STARTED",
    "TASK_COMPLETED",
    "WORKFLOW_RESUMED",
    "WORKFLOW_COMPLETED",
]


@contextmanager
def _worker(stack: Stack, url: str, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`flowstrand worker`, for the queue that the stack leaves to workers; killed at the end, if it has not been."""
    arguments = ["--app", str(APP), "--queue", QUEUE, "--concurrency", "1"]
    environment = {
        **os.environ,
        "FLOWSTRAND_URL": url,
        "FLOWSTRAND_ORG": stack.org,
        "FLOWSTRAND_API_KEY": stack.key,
    }
    with output.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flowstrand.cli", "worker", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_s10_a_killed_workers_late_result_is_refused(stack: Stack, tmp_path: Path) -> None:
    execution = stack.start("lingers")
    with recording_proxy(stack.url) as proxy, _worker(stack, proxy.url, tmp_path / "first.log") as worker:
        claimed = proxy.await_exchange(lambda e: e.path.endswith("/poll") and e.answer.get("tasks"))
        [task] = claimed.answer["tasks"]
        path = f"/task-executions/{task['taskExecutionId']}"
        proxy.await_exchange(lambda e: e.path.endswith(f"{path}/heartbeat"))  # it is in the middle of it
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    failed = stack.await_event(execution, "TASK_FAILED")["data"]
    assert isinstance(failed, dict)
    assert (failed["attempt"], failed["status"]) == (1, "PENDING")

    late = {"leaseToken": task["leaseToken"], "output": "too late"}
    assert stack.request("POST", f"{path}/complete", late).status == 409
    with _worker(stack, stack.url, tmp_path / "second.log"):
        log = stack.await_end(execution)
    assert [(event["sequence"], event["type"]) for event in log] == list(enumerate(LOG, start=1))
    assert stack.get(execution)["output"] == 2
    assert stack.request("POST", f"{path}/complete", late).status == 409
