"""Waiting for executions: the result on stdout, the outcome as the exit status, and progress on a terminal."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner, Result

from flowstrand.cli.durations import clock, seconds
from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from flowstrand.cli.progress import ExecutionProgress, TaskProgress
from flowstrand.client import Execution, HistoryEvent, TaskExecution
from tests.unit.cli.cases import RETRIED, RUNNING_TASK, STANDALONE, STARTED, TASK_STARTED, TASK_VIEW, E
from tests.unit.fake_api import FakeApi

RUNNER = CliRunner()


def execution(status: str, **more: object) -> dict[str, Any]:
    return {"workflowExecutionId": E, "kind": "order", "status": status, "currentSequence": 3, **more}


def page(*types: str, after: int = 3, closed: bool = False) -> dict[str, Any]:
    events = [
        {"sequence": sequence, "type": type, "timestamp": "2026-11-23T09:00:00.000Z", "data": {}}
        for sequence, type in enumerate(types, after + 1)
    ]
    return {"events": events, "nextAfter": after + len(types), "upToDate": True, "closed": closed}


COMPLETED = execution("COMPLETED", output={"total": 7})
FAILED = execution("FAILED", error={"type": "SoldOut", "message": "no hats"}, failureType="ERROR")
TIMED_OUT = execution("FAILED", error={"type": "Timeout", "message": "too long"}, failureType="TIMEOUT")
CANCELLED = execution("CANCELLED", error={"type": "WorkflowCancelled", "message": "no more"})


def invoke(api: FakeApi, command: list[str], *answers: object) -> Result:
    api.faults = [httpx2.Response(200, json=answer) for answer in answers]
    result = RUNNER.invoke(program, command)
    assert api.faults == []
    return result


def waited(api: FakeApi, end: dict[str, Any], *more: str) -> Result:
    """`start --wait`, where the execution is open at first."""
    command = ["start", "order", "--wait", *more]
    return invoke(api, command, STARTED, execution("RUNNING"), page(), page(closed=True), end)


def test_the_result_is_printed_and_nothing_else(api: FakeApi) -> None:
    result = waited(api, COMPLETED)
    assert (result.exit_code, result.output) == (0, '{"total": 7}\n')
    asked = [request.url.params.get("types") for request in api.requests if "events" in request.url.path]
    assert asked == ["WORKFLOW_COMPLETED,WORKFLOW_FAILED,WORKFLOW_CANCELLED"] * 2


@pytest.mark.parametrize(
    ("end", "exit", "told"),
    [
        (FAILED, Exit.FAILED, "error: no hats (WORKFLOW_FAILED)\n"),
        (TIMED_OUT, Exit.TIMED_OUT, "error: too long (WORKFLOW_TIMEOUT)\n"),
        (CANCELLED, Exit.CANCELLED, "error: no more (WORKFLOW_CANCELLED)\n"),
    ],
    ids=["failed", "timed out", "cancelled"],
)
def test_the_exit_status_tells_the_outcome(api: FakeApi, end: dict[str, Any], exit: Exit, told: str) -> None:
    for_people = waited(api, end)
    assert (for_people.exit_code, for_people.stdout, for_people.stderr) == (exit, "", told)
    for_programs = waited(api, end, "--json")
    assert (for_programs.exit_code, for_programs.stderr) == (exit, "")
    assert json.loads(for_programs.stdout) == end


def test_it_waits_for_the_execution_that_goes_on_from_this_one(api: FakeApi) -> None:
    successor = {**COMPLETED, "workflowExecutionId": "e2"}
    result = invoke(api, ["wait", E], execution("COMPLETED", continuedAs="e2"), successor)
    assert (result.exit_code, result.output) == (0, '{"total": 7}\n')
    assert api.requests[-1].url.path.endswith("/e2")


def test_a_timeout_leaves_it_be(api: FakeApi) -> None:
    result = invoke(api, ["wait", E, "--timeout", "0"], execution("RUNNING"))
    assert (result.exit_code, result.stdout) == (Exit.STILL_OPEN, "")
    assert result.stderr == f"error: {E} is still open after 0 s (TIMEOUT)\n"


def test_ctrl_c_leaves_it_be(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flowstrand.client.synchronous.SyncClient.history", interrupted)
    result = invoke(api, ["start", "order", "--wait"], STARTED, execution("RUNNING"))
    assert (result.exit_code, result.stdout) == (Exit.INTERRUPTED, "")
    assert result.stderr == f"error: {E} goes on (INTERRUPTED)\n"


@pytest.mark.parametrize(("end", "exit"), [(CANCELLED, 0), (COMPLETED, 1), (FAILED, 1)])
def test_a_cancel_succeeds_where_it_was_cancelled(api: FakeApi, end: dict[str, Any], exit: int) -> None:
    result = invoke(api, ["cancel", E, "--wait"], {"sequence": 4}, execution("CANCELLING"), page(closed=True), end)
    assert (result.exit_code, result.output) == (exit, f"{end['status']}\n")


def test_a_signal_may_be_waited_for_too(api: FakeApi) -> None:
    command = ["signal-with-start", "chat", "k", "say", "--wait", "--timeout", "5m"]
    assert invoke(api, command, STARTED, COMPLETED).stdout == '{"total": 7}\n'


def test_a_retry_may_be_waited_for_too(api: FakeApi) -> None:
    assert invoke(api, ["retry", E, "--wait"], RETRIED, COMPLETED).stdout == '{"total": 7}\n'
    assert api.requests[-1].url.path.endswith("/e2")


def test_a_terminal_is_shown_how_far_it_is(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = invoke(
        api,
        ["wait", E],
        execution("RUNNING"),
        {"tasks": [RUNNING_TASK]},
        page("TASK_COMPLETED", "WORKFLOW_COMPLETED", closed=True),
        COMPLETED,
    )
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", result.stderr)
    assert f"order {E}  RUNNING  event 3  1 open task  00:00" in shown
    assert json.loads(re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", result.stdout)) == {"total": 7}
    assert "types" not in api.requests[2].url.params


def event(sequence: int, type: str, **data: Any) -> HistoryEvent:
    return HistoryEvent(sequence=sequence, type=type, timestamp="2026-11-23T09:00:00.000Z", data=data)


def test_progress_follows_the_log() -> None:
    now_s = 10.0
    progress = ExecutionProgress(Execution.of(execution("RUNNING")), ["t1"], lambda: now_s)
    said = []
    for seen in (
        event(4, "TASK_CREATED", taskExecutionId="t2"),
        event(5, "WORKFLOW_SUSPENDED", suspendType="TASK"),
        event(6, "TASK_FAILED", taskExecutionId="t1", status="PENDING"),
        event(7, "TASK_FAILED", taskExecutionId="t1", status="FAILED"),
        event(8, "TASK_COMPLETED", taskExecutionId="t2"),
        event(9, "WORKFLOW_RESUMED"),
        event(10, "CANCELLATION_REQUESTED"),
    ):
        progress.see(seen)
        said.append(progress.text().plain.removeprefix(f"order {E}  "))
    now_s = 75.0
    assert said == [
        "RUNNING  event 4  2 open tasks  00:00",
        "WAITING for TASK  event 5  2 open tasks  00:00",
        "WAITING for TASK  event 6  2 open tasks  00:00",
        "WAITING for TASK  event 7  1 open task  00:00",
        "WAITING for TASK  event 8  0 open tasks  00:00",
        "RUNNING  event 9  0 open tasks  00:00",
        "CANCELLING  event 10  0 open tasks  00:00",
    ]
    assert progress.text().plain.endswith("01:05")


def task_view(status: str, **more: object) -> dict[str, Any]:
    return {**TASK_VIEW, "status": status, "output": None, **more}


@pytest.mark.parametrize(
    ("end", "exit", "printed"),
    [
        (task_view("COMPLETED", output=[1]), Exit.OK, "[1]\n"),
        (
            task_view("FAILED", error={"type": "Boom", "message": "no luck"}),
            Exit.FAILED,
            "error: no luck (TASK_FAILED)\n",
        ),
        (
            task_view("FAILED", failureType="TIMEOUT", error={"type": "DeadlineExceeded", "message": "too long"}),
            Exit.TIMED_OUT,
            "error: too long (TASK_TIMEOUT)\n",
        ),
        (
            task_view("CANCELLED", error={"type": "x", "message": "enough"}),
            Exit.CANCELLED,
            "error: enough (TASK_CANCELLED)\n",
        ),
    ],
    ids=["completed", "failed", "timed out", "cancelled"],
)
def test_a_task_may_be_waited_for_too(api: FakeApi, end: dict[str, Any], exit: Exit, printed: str) -> None:
    answers = [TASK_STARTED, task_view("RUNNING"), page(after=5), page(after=5, closed=True), end]
    result = invoke(api, ["task", "start", "resize", "--wait"], *answers)
    assert (result.exit_code, result.output) == (exit, printed)
    told = invoke(api, ["task", "wait", STANDALONE, "--json"], end)
    assert (told.exit_code, json.loads(told.stdout), told.stderr) == (exit, end, "")


def test_a_terminal_is_shown_which_attempt_it_is(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    closing = page("TASK_COMPLETED", after=5, closed=True)
    result = invoke(api, ["task", "wait", STANDALONE], task_view("RUNNING"), closing, task_view("COMPLETED"))
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", result.stderr)
    assert f"resize {STANDALONE}  RUNNING  event 5  attempt 2  00:00" in shown


def test_the_progress_of_a_task_follows_its_log() -> None:
    progress = TaskProgress(TaskExecution.of(task_view("RUNNING")), lambda: 0.0)
    said = []
    for seen in (event(6, "TASK_FAILED", status="PENDING"), event(7, "TASK_STARTED"), event(8, "STREAM_TOKEN")):
        progress.see(seen)
        said.append(progress.text().plain.removeprefix(f"resize {STANDALONE}  "))
    assert said == [
        "PENDING  event 6  attempt 2  00:00",
        "RUNNING  event 7  attempt 3  00:00",
        "RUNNING  event 8  attempt 3  00:00",
    ]


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("0.5s", 0.5), ("5m", 300), ("2h", 7_200), ("7d", 604_800)]
)
def test_durations_are_written_with_a_unit(text: str, expected: float) -> None:
    assert seconds(text, "--timeout") == expected


def test_a_clock_shows_hours_when_there_are_some() -> None:
    assert [clock(59.9), clock(65), clock(3_665)] == ["00:59", "01:05", "1:01:05"]
