"""`flowstrand demo`: the bug report this project began with, run again, with every process and transport for real."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

FAILING_TASK = [
    "WORKFLOW_STARTED",
    "TASK_CREATED",
    "WORKFLOW_SUSPENDED",
    "TASK_STARTED",
    "TASK_FAILED",
    "WORKFLOW_RESUMED",
    "WORKFLOW_COMPLETED",
]
PARENT = [
    "WORKFLOW_STARTED",
    "CHILD_WORKFLOW_INITIATED",
    "WORKFLOW_SUSPENDED",
    "CHILD_WORKFLOW_STARTED",
    "CHILD_WORKFLOW_COMPLETED",
    "WORKFLOW_RESUMED",
    "WORKFLOW_COMPLETED",
]
DEMO = [sys.executable, "-m", "flowstrand.cli", "demo"]


@pytest.mark.parametrize("store", ["sqlite", "dynamodb"])
def test_every_transport_shows_the_same_events_in_the_order_of_their_causes(store: str) -> None:
    run = subprocess.run(
        [*DEMO, "--json", "--store", store], capture_output=True, text=True, timeout=170, check=False
    )
    assert run.returncode == 0, run.stderr
    shown = json.loads(run.stdout)
    assert (shown["identical"], shown["dense"]) == (True, True)
    executions = {execution["scenario"]: execution for execution in shown["executions"]}
    assert list(executions) == ["failing-task", "parent-child", "parent-child/child", "order"]
    for execution in shown["executions"]:
        assert execution["status"] == "COMPLETED"
        assert execution["history"] == execution["longPoll"] == execution["sse"]
    assert [event["type"] for event in executions["failing-task"]["sse"]] == FAILING_TASK
    assert [event["type"] for event in executions["parent-child"]["sse"]] == PARENT


def test_a_demo_that_is_ended_takes_its_processes_and_files_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    demo = subprocess.Popen(DEMO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server_is_up = _wait_for(lambda: any(tmp_path.glob("*/data/dev-key")))
        assert server_is_up
        demo.send_signal(signal.SIGTERM)
        demo.wait(30)
    finally:
        demo.kill()
    assert list(tmp_path.glob("flowstrand-demo-*")) == []
    assert not _mentioning(str(tmp_path))


def _wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _mentioning(text: str) -> list[str]:
    """Command lines of running processes that hold `text`."""
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listing.stdout.splitlines() if text in line and "ps -eo" not in line]
