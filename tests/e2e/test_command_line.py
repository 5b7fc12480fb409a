"""The command line against a real server: what a person does on a day, and what a script sees of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from tests.e2e.process import KEY, DevProcess


class Shell:
    """Somebody at a terminal."""

    def __init__(self, server: DevProcess) -> None:
        self.environment = {"FLOWSTRAND_URL": server.url, "FLOWSTRAND_API_KEY": KEY}

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(program, words, env=self.environment)

    def says(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout.removesuffix("\n")

    def tells(self, *words: str) -> Any:
        return json.loads(self.says(*words, "--json"))

    @contextmanager
    def begun(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A process of its own, which does not outlive the block."""
        with hearing_interrupts():
            process = subprocess.Popen(
                [sys.executable, "-m", "flowstrand.cli", *words],
                env={**os.environ, **self.environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        with process:
            try:
                yield process
            finally:
                process.kill()


@contextmanager
def hearing_interrupts() -> Iterator[None]:
    """What is started inside hears SIGINT, though the tests may run in the background, where a shell has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def shell(server: DevProcess) -> Shell:
    return Shell(server)


def test_an_execution_from_its_start_to_its_end(shell: Shell) -> None:
    assert shell.says("start", "steps", "--input", "3", "--wait", "--timeout", "60") == "3"
    started = shell.tells("start", "steps", "--input", "2", "--idempotency-key", "k", "--metadata", "by=ada")
    id = started["workflowExecutionId"]
    assert (started["idempotencyKeyNew"], started["kind"]) == (True, "steps")
    assert shell.says("start", "steps", "--input", "2", "--idempotency-key", "k") == id
    assert shell.says("wait", id) == "1"
    shown = shell.tells("get", id)
    assert (shown["status"], shown["output"], shown["metadata"]) == ("COMPLETED", 1, {"by": "ada"})
    assert "status                 COMPLETED" in shell.says("get", id)
    followed = [json.loads(line) for line in shell.says("tail", id, "--json").splitlines()]
    assert [event["sequence"] for event in followed] == list(range(1, shown["currentSequence"] + 1))
    there = [json.loads(line)["type"] for line in shell.says("events", id, "--json").splitlines()]
    assert there == [event["type"] for event in followed]
    assert [task["status"] for task in shell.tells("tasks", id)["tasks"]] == ["COMPLETED", "COMPLETED"]
    assert (shell.tells("children", id), shell.tells("state", id)) == ({"children": []}, {"state": {}})


def test_an_execution_that_is_cancelled(shell: Shell) -> None:
    id = shell.says("signal-with-start", "patient", "chat-7", "hello", "--value", '{"by": "ada"}')
    assert int(shell.says("signal", id, "again")) > 2
    still_open = shell.run("wait", id, "--timeout", "1s")
    assert (still_open.exit_code, still_open.stdout) == (Exit.STILL_OPEN, "")
    assert shell.says("cancel", id, "--reason", "enough", "--wait", "--timeout", "30") == "CANCELLED"
    ended = shell.run("wait", id)
    assert (ended.exit_code, ended.stderr) == (Exit.CANCELLED, "error: enough (WORKFLOW_CANCELLED)\n")
    refused = shell.run("signal", id, "too late", "--json")
    assert (refused.exit_code, json.loads(refused.stderr)["code"]) == (Exit.REFUSED, "EXECUTION_CLOSED")


def test_what_can_be_started_and_when(shell: Shell) -> None:
    kinds = {known["kind"] for known in shell.tells("definitions", "workflows")["definitions"]}
    assert {"steps", "patient", "early"} <= kinds
    tasks = until(lambda: shell.tells("definitions", "tasks")["definitions"])  # the worker registers them
    assert "step" in {known["kind"] for known in tasks}
    created = shell.tells("schedule", "create", "nightly", "steps", "--cron", "0 2 * * *", "--input", "1")
    assert created["status"] == "ACTIVE"
    assert shell.tells("schedule", "pause", "nightly")["status"] == "PAUSED"
    assert shell.tells("schedule", "trigger", "nightly")["outcome"] == "STARTED"
    assert len(shell.tells("schedule", "runs", "nightly")["runs"]) == 1
    assert shell.says("schedule", "list").splitlines()[1].startswith("nightly")
    assert shell.says("schedule", "delete", "nightly") == "nightly is deleted"
    gone = shell.run("schedule", "get", "nightly")
    assert (gone.exit_code, gone.stderr.endswith("(SCHEDULE_NOT_FOUND)\n")) == (Exit.NOT_FOUND, True)


def test_a_failure_that_an_operator_mends(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "repaired.txt"
    failed = shell.run("start", "fragile", "--input", json.dumps(str(file)), "--metadata", "by=ada", "--wait")
    assert (failed.exit_code, failed.stdout) == (Exit.FAILED, "")
    [found] = until(lambda: shell.tells("list", "--status", "failed", "--metadata", "by=ada")["executions"])
    assert found["kind"] == "fragile"
    file.write_text("whole again", encoding="utf-8")
    retried = shell.says(
        "retry", found["workflowExecutionId"], "--reason", "repaired", "--wait", "--timeout", "60"
    )
    assert json.loads(retried) == "whole again"


def test_a_queue_that_an_operator_holds(shell: Shell) -> None:
    assert shell.tells("queue", "limit", "default", "--concurrent", "3")["maxConcurrent"] == 3
    assert shell.tells("queue", "pause", "default")["state"] == "PAUSED"
    id = shell.says("start", "steps", "--input", "1")
    assert shell.run("wait", id, "--timeout", "3s").exit_code == Exit.STILL_OPEN
    assert shell.says("queue", "list").splitlines()[1].split()[:2] == ["default", "PAUSED"]
    shell.says("queue", "resume", "default")
    assert shell.says("wait", id, "--timeout", "60") == "0"
    [worker] = shell.tells("workers")["workers"]
    assert (worker["state"], worker["queues"]) == ("RUNNING", ["default"])


def test_a_task_without_a_workflow(shell: Shell) -> None:
    assert shell.says("task", "start", "step", "--input", "3", "--wait", "--timeout", "60") == "3"
    id = shell.tells("task", "start", "step", "--input", "4", "--idempotency-key", "k")["taskExecutionId"]
    assert shell.says("task", "wait", id) == "4"
    assert shell.tells("task", "get", id)["status"] == "COMPLETED"
    assert [attempt["status"] for attempt in shell.tells("task", "attempts", id)["attempts"]] == ["COMPLETED"]
    followed = [json.loads(line)["type"] for line in shell.says("task", "tail", id, "--json").splitlines()]
    assert followed == ["TASK_CREATED", "TASK_STARTED", "TASK_COMPLETED"]
    assert len(shell.says("task", "events", id).splitlines()) == 3
    late = shell.run("task", "cancel", id)
    assert (late.exit_code, late.stdout) == (Exit.REFUSED, "")


def until(found: Callable[[], list[Any]]) -> list[Any]:
    """What is found, when there is something: lists lag a little behind."""
    deadline = time.monotonic() + 30
    while not (there := found()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return there


def test_a_stranger_is_told_nothing(shell: Shell) -> None:
    result = shell.run("get", "x", "--api-key", "wrong")
    assert (result.exit_code, result.stdout) == (Exit.NOT_ALLOWED, "")


def test_ctrl_c_ends_a_wait_and_not_the_execution(shell: Shell) -> None:
    id = shell.says("start", "patient")
    with shell.begun("tail", id) as process:
        assert process.stdout is not None
        assert "WORKFLOW_STARTED" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (Exit.INTERRUPTED, "")
    assert shell.tells("get", id)["status"] == "WAITING"


def test_a_reader_that_has_seen_enough_ends_it_quietly(shell: Shell) -> None:
    id = shell.says("start", "steps")
    with shell.begun("tail", id) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (Exit.BROKEN_PIPE, "")
