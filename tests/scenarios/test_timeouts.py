"""S14: deadlines and timeouts of tasks; timeouts of executions; errors and priorities that a worker is told of."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.engine.schema import rfc3339
from tests.scenarios.transports import TRANSPORTS, Row
from tests.scenarios.world import START_MS, World

HOUR_S = 3_600
BEGUN = "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED"


def assert_log(world: World, execution: str, types: str) -> None:
    """Every transport shows exactly this log."""
    expected: list[Row] = list(enumerate(types.split(), start=1))
    for transport in TRANSPORTS:
        assert transport(world, execution) == expected, transport.__name__


def data(world: World, execution: str, type: str) -> list[Any]:
    answer = world.request("GET", f"/workflow-executions/{execution}/events", limit="1000")
    return [event["data"] for event in answer.body["events"] if event["type"] == type]


def report(world: World, task: Any, verb: str, body: dict[str, Any] | None = None) -> int:
    path = f"/task-executions/{task['taskExecutionId']}/{verb}"
    return world.request("POST", path, {"leaseToken": task["leaseToken"], **(body or {})}).status


def start(world: World, kind: str, input: Any = None, **body: Any) -> str:
    answer = world.request("POST", "/workflow-executions", {"kind": kind, "input": input, **body})
    assert answer.status == 201, answer
    world.settle()
    return str(answer.body["workflowExecutionId"])


# --- a task's deadline --------------------------------------------------------------------------


def test_s14_a_task_that_nobody_does_fails_at_its_deadline(world: World) -> None:
    execution = start(world, "has-a-deadline")
    world.jump(HOUR_S)
    assert_log(world, execution, f"{BEGUN} TASK_FAILED WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.get(execution)["output"] == "TASK_TIMEOUT: DeadlineExceeded"
    [failed] = data(world, execution, "TASK_FAILED")
    assert (failed["status"], failed["failureType"], failed["attempt"]) == ("FAILED", "TIMEOUT", 0)
    [created] = data(world, execution, "TASK_CREATED")
    assert created["timeoutMs"] == HOUR_S * 1_000


def test_s14_an_attempt_that_runs_at_the_deadline_is_refused_afterwards(world: World) -> None:
    execution = start(world, "has-a-deadline")
    world.jump(HOUR_S - 30)
    task = world.claim("slow")["slow"]
    world.jump(30)
    assert [report(world, task, "complete"), report(world, task, "heartbeat")] == [409, 409]
    assert_log(world, execution, f"{BEGUN} TASK_STARTED TASK_FAILED WORKFLOW_RESUMED WORKFLOW_COMPLETED")


def test_s14_a_retry_that_would_begin_too_late_is_not_waited_for(world: World) -> None:
    execution = start(world, "has-a-deadline")
    world.jump(HOUR_S - 0.5)
    world.fail(world.claim("slow")["slow"])
    world.settle()
    [failed] = data(world, execution, "TASK_FAILED")
    assert (failed["status"], failed["failureType"]) == ("FAILED", "ERROR")
    world.jump(HOUR_S)
    assert_log(world, execution, f"{BEGUN} TASK_STARTED TASK_FAILED WORKFLOW_RESUMED WORKFLOW_FAILED")


# --- an attempt's timeouts ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "error_type"),
    [("start_to_close", "StartToCloseTimeout"), ("heartbeat_timeout", "HeartbeatTimeout")],
)
def test_s14_attempts_that_take_too_long_are_retried_and_then_time_out(
    world: World, option: str, error_type: str
) -> None:
    execution = start(world, "bounds-each-attempt", option)
    for _ in range(2):
        task = world.claim("slow")["slow"]
        world.jump(5)
        beats = 1 if option == "heartbeat_timeout" else 0
        assert report(world, task, "heartbeat") == 200
        world.jump(5 + 5 * beats)
        assert report(world, task, "heartbeat") == 409
        world.jump(1)
    tries = " ".join(["TASK_STARTED TASK_FAILED"] * 2)
    assert_log(world, execution, f"{BEGUN} {tries} WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.get(execution)["output"] == error_type
    assert [f["status"] for f in data(world, execution, "TASK_FAILED")] == ["PENDING", "FAILED"]


# --- errors -------------------------------------------------------------------------------------


def test_an_error_that_the_policy_names_is_not_retried_and_the_worker_knows_the_names(world: World) -> None:
    execution = start(world, "declines")
    task = world.claim("charge")["charge"]
    assert task["nonRetryable"] == ["CardDeclined"]
    world.fail(task, "CardDeclined")
    world.settle()
    assert_log(world, execution, f"{BEGUN} TASK_STARTED TASK_FAILED WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.get(execution)["output"] == "CardDeclined"


def test_an_error_that_the_worker_sees_no_use_in_repeating_is_recorded_as_such(world: World) -> None:
    execution = start(world, "declines")
    task = world.claim("charge")["charge"]
    error = {"type": "CardStolen", "message": "a kind of CardDeclined"}
    assert report(world, task, "fail", {"error": error, "retryable": False}) == 200
    world.settle()
    [failed] = data(world, execution, "TASK_FAILED")
    assert (failed["status"], failed["error"]) == ("FAILED", {**error, "retryable": False})
    assert world.get(execution)["output"] == "CardStolen"


# --- an execution's timeout ---------------------------------------------------------------------


def test_an_execution_that_is_open_at_its_timeout_fails_and_none_of_its_code_runs(world: World) -> None:
    execution = start(world, "waits-for-ever", timeoutSeconds=90.5)
    task = world.claim("slow")["slow"]
    world.jump(50)
    report(world, task, "heartbeat")
    world.jump(40)
    assert world.get(execution)["status"] == "WAITING"
    world.jump(0.5)
    begun = "WORKFLOW_STARTED TASK_CREATED TIMER_STARTED WORKFLOW_SUSPENDED TASK_STARTED"
    assert_log(world, execution, f"{begun} TASK_CANCELLED TIMER_CANCELLED WORKFLOW_FAILED")
    snapshot = world.get(execution)
    assert (snapshot["status"], snapshot["failureType"]) == ("FAILED", "TIMEOUT")
    assert (
        snapshot["error"]["message"] == f"the workflow had not ended by its timeout, {rfc3339(START_MS + 90_500)}"
    )
    assert report(world, task, "complete") == 409
    [started] = data(world, execution, "WORKFLOW_STARTED")
    assert "timeoutAt" in started


def test_a_child_has_its_time_from_its_own_start_and_its_parent_hears_of_its_end(world: World) -> None:
    execution = start(world, "waits-for-a-slow-child")
    world.jump(59)
    assert world.get(execution)["status"] == "WAITING"
    world.jump(1)
    assert world.get(execution)["output"] == (
        f"TIMEOUT: the workflow had not ended by its timeout, {rfc3339(START_MS + 60_000)}"
    )
    [initiated] = data(world, execution, "CHILD_WORKFLOW_INITIATED")
    assert initiated["timeoutMs"] == 60_000
    child = world.get(initiated["childWorkflowId"])
    assert (child["status"], child["failureType"]) == ("FAILED", "TIMEOUT")


@pytest.mark.parametrize("timeout", [0, -1, "90", True, 10**12])
def test_a_timeout_that_is_none_is_refused(world: World, timeout: Any) -> None:
    answer = world.request("POST", "/workflow-executions", {"kind": "catches", "timeoutSeconds": timeout})
    assert (answer.status, answer.body["details"][0]["pointer"]) == (400, "/timeoutSeconds")
