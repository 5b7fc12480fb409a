"""Retries from history, through HTTP, on both stores, warm and with forced cold replay."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flowstrand.jsonvalue import JsonObject
from tests.scenarios.retried import deployed, ran
from tests.scenarios.transports import TRANSPORTS, history
from tests.scenarios.world import Answer, World


@pytest.fixture(autouse=True)
def first_deployment() -> Iterator[None]:
    deployed["fixed"] = False
    ran.clear()
    yield
    deployed["fixed"] = False


def retry(world: World, execution: str, **body: Any) -> Answer:
    answer = world.request("POST", f"/workflow-executions/{execution}/retry", body)
    world.settle()
    return answer


def begin(world: World, kind: str, input: Any = None) -> str:
    execution = world.start(kind, input)
    world.settle()
    return execution


def do(world: World, kind: str, output: Any = "done") -> Any:
    task = world.claim(kind)[kind]
    world.complete(task, output)
    world.settle()
    return task


def fail(world: World, kind: str) -> None:
    world.fail(world.claim(kind)[kind])
    world.settle()


def failed_charge(world: World) -> str:
    execution = begin(world, "charges")
    do(world, "first", 1)
    fail(world, "charge")
    assert world.get(execution)["status"] == "FAILED"
    return execution


def test_work_that_failed_is_done_again_and_nothing_else(world: World) -> None:
    execution = failed_charge(world)
    before = [transport(world, execution) for transport in TRANSPORTS]
    answer = retry(world, execution, reason="the card is valid again")
    retried = str(answer.body["workflowExecutionId"])
    assert (answer.status, answer.body["retriedFrom"]) == (201, execution)
    assert answer.headers["Location"] == f"/api/orgs/acme/workflow-executions/{retried}"
    assert world.get(retried)["retriedFrom"] == execution
    assert "retriedFrom" not in world.get(execution)
    task = do(world, "charge", 2)
    assert task["taskExecutionId"] == f"{retried}.t2"
    assert (world.get(retried)["status"], world.get(retried)["output"]) == ("COMPLETED", [1, 2])
    expected = (
        "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED TASK_COMPLETED WORKFLOW_RESUMED TASK_CREATED "
        "WORKFLOW_SUSPENDED RETRY_REQUESTED TASK_STARTED TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED"
    )
    for transport in TRANSPORTS:
        assert transport(world, retried) == list(enumerate(expected.split(), start=1)), transport.__name__
    assert [transport(world, execution) for transport in TRANSPORTS] == before


def test_the_key_that_the_code_drew_for_its_work_is_the_same_when_that_is_done_again(world: World) -> None:
    execution = begin(world, "charges")
    do(world, "first")
    first = world.claim("charge")["charge"]
    world.fail(first)
    world.settle()
    retry(world, execution)
    assert world.claim("charge")["charge"]["input"] == first["input"]


def test_a_mistake_is_corrected_and_what_was_done_before_it_is_not_done_again(world: World) -> None:
    execution = begin(world, "fulfils", "book" * 4_000)
    fail(world, "reserve")
    do(world, "reserve-elsewhere", "there")
    signal: JsonObject = {"signalName": "gift", "signalValue": "ribbon"}
    assert world.request("POST", f"/workflow-executions/{execution}/signal", signal).status == 200
    world.settle()
    do(world, "work", "sewn")
    assert world.get(execution)["error"]["message"] == "a mistake"
    deployed["fixed"] = True
    retried = str(retry(world, execution).body["workflowExecutionId"])
    assert world.request("GET", f"/workflow-executions/{retried}/state").body["state"]["order"] == "book" * 4_000
    [child] = world.request("GET", f"/workflow-executions/{retried}/children").body["children"]
    assert world.get(child["childWorkflowId"])["status"] == "COMPLETED"
    shipping = world.claim("ship")["ship"]
    world.complete(shipping, shipping["input"])
    world.settle()
    output = world.get(retried)["output"]
    assert output.pop("child")["did"] == "sewn"
    assert output == {"price": 42, "reserved": "there", "gift": "ribbon", "sameKey": True}
    assert ran == ["price"]


def test_a_repeated_request_finds_the_execution_that_the_first_one_began(world: World) -> None:
    execution = failed_charge(world)
    first, second, other = (retry(world, execution, requestId=request) for request in ("r1", "r1", "r2"))
    assert [answer.status for answer in (first, second, other)] == [201, 200, 201]
    assert first.body["workflowExecutionId"] == second.body["workflowExecutionId"]
    assert first.body["workflowExecutionId"] != other.body["workflowExecutionId"]
    assert len(world.claim_all("charge")) == 2


def test_twenty_who_repeat_one_request_at_once_begin_one_execution(busy_world: World) -> None:
    execution = failed_charge(busy_world)

    def ask(_: int) -> Answer:
        return busy_world.request("POST", f"/workflow-executions/{execution}/retry", {"requestId": "r1"})

    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(ask, range(20)))
    assert {answer.status for answer in answers} <= {200, 201}
    [retried] = {answer.body["workflowExecutionId"] for answer in answers}
    busy_world.settle()
    assert [name for _, name in history(busy_world, str(retried))].count("RETRY_REQUESTED") == 1
    do(busy_world, "charge", 2)
    assert busy_world.get(str(retried))["output"] == [1, 2]


def test_what_has_not_failed_is_not_retried(world: World) -> None:
    execution = begin(world, "charges")
    answer = retry(world, execution)
    assert (answer.status, answer.body["code"]) == (409, "EXECUTION_NOT_FAILED")
    world.request("POST", f"/workflow-executions/{execution}/cancel", {"force": True})
    answer = retry(world, execution)
    assert (answer.status, answer.body["code"]) == (409, "EXECUTION_NOT_FAILED")
    answer = retry(world, "01JD0000000000000000000000")
    assert (answer.status, answer.body["code"]) == (404, "EXECUTION_NOT_FOUND")


@pytest.mark.parametrize("body", [{"reason": 1}, {"reason": "x" * 100_000}, {"requestId": ""}, {"force": True}])
def test_a_request_that_makes_no_sense_is_refused(world: World, body: JsonObject) -> None:
    execution = failed_charge(world)
    answer = world.request("POST", f"/workflow-executions/{execution}/retry", body)
    assert (answer.status, answer.body["code"]) == (400, "INVALID_INPUT")
