"""S22: a standalone task has a log of its own, the same over every transport, that ends with the task."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.engine.schema import rfc3339
from flowstrand.jsonvalue import JsonObject
from flowstrand.service import projection, sweep
from tests.scenarios.transports import TRANSPORTS, Row
from tests.scenarios.world import START_MS, Answer, World

KINDS = ("charge", "other")


@pytest.fixture(autouse=True)
def _workers(world: World) -> None:
    body: JsonObject = {"name": "w", "queue": "default", "taskKinds": list(KINDS)}
    assert world.request("POST", "/workers", body).status == 201


def ask(world: World, **body: Any) -> Answer:
    answer = world.request("POST", "/task-executions", {"kind": "charge", **body})
    world.settle()
    return answer


def start(world: World, **body: Any) -> str:
    answer = ask(world, **body)
    assert answer.status == 201, answer
    return str(answer.body["taskExecutionId"])


def claim(world: World) -> Any:
    task = world.claim("charge")["charge"]
    world.settle()
    return task


def report(world: World, task: Any, verb: str, **body: Any) -> Answer:
    path = f"/task-executions/{task['taskExecutionId']}/{verb}"
    return world.request("POST", path, {"leaseToken": task["leaseToken"], **body})


def look(world: World, task: str) -> Any:
    answer = world.request("GET", f"/task-executions/{task}")
    assert answer.status == 200, answer
    return answer.body


def events(world: World, task: str) -> list[Any]:
    return list(world.request("GET", f"/task-executions/{task}/events").body["events"])


def attempts(world: World, task: str, **query: str) -> Any:
    return world.request("GET", f"/task-executions/{task}/attempts", **query).body


def assert_log(world: World, task: str, types: str) -> None:
    """Every transport shows exactly this log."""
    expected: list[Row] = list(enumerate(types.split(), start=1))
    for transport in TRANSPORTS:
        assert transport(world, task) == expected, transport.__name__


def test_s22_every_transport_shows_the_same_log_from_creation_to_end(world: World) -> None:
    answer = ask(world, input={"amount": 5}, metadata={"order": "o-1"}, priority=3)
    task = answer.body["taskExecutionId"]
    assert (answer.status, answer.body["status"], answer.body["kind"]) == (201, "PENDING", "charge")
    assert answer.body["links"]["stream"] == f"/api/orgs/acme/task-executions/{task}/stream"
    claimed = claim(world)
    assert claimed["input"] == {"amount": 5}
    assert "workflowExecutionId" not in claimed
    assert world.complete(claimed, {"paid": 5}) == 3
    world.settle()
    assert_log(world, task, "TASK_CREATED TASK_STARTED TASK_COMPLETED")
    [created, _, completed] = events(world, task)
    assert (created["data"]["metadata"], created["data"]["priority"]) == ({"order": "o-1"}, 3)
    assert completed["data"]["output"] == {"paid": 5}


def test_what_it_streams_is_in_its_log_before_its_end_and_nothing_after(world: World) -> None:
    task = start(world)
    claimed = claim(world)
    token: JsonObject = {"type": "token", "payload": "one"}
    assert world.emit(claimed, token, {"type": "progress", "payload": 0.5}, request_id="1").body == {"sequence": 4}
    assert world.complete(claimed) == 5
    assert world.complete(claimed) == 5
    late = world.emit(claimed, token, request_id="2")
    assert (late.status, late.body["code"]) == (409, "EXECUTION_CLOSED")
    world.settle()
    page = world.request("GET", f"/task-executions/{task}/events", after="5").body
    assert page == {"events": [], "nextAfter": 5, "upToDate": True, "closed": True}


def test_failures_are_retried_with_backoff_and_the_last_one_ends_the_log(world: World) -> None:
    task = start(world, retry={"maxRetries": 1, "initialMs": 60_000, "jitter": 0})
    world.fail(claim(world))
    world.settle()
    waiting = look(world, task)
    assert (waiting["status"], waiting["executionCount"], waiting["error"]["type"]) == ("PENDING", 1, "ValueError")
    assert waiting["retryAt"] == rfc3339(START_MS + 60_000)
    world.jump(60)
    world.fail(claim(world), "KeyError")
    world.settle()
    assert_log(world, task, "TASK_CREATED TASK_STARTED TASK_FAILED TASK_STARTED TASK_FAILED")
    failed = look(world, task)
    assert (failed["status"], failed["executionCount"], failed["error"]["type"]) == ("FAILED", 2, "KeyError")
    found = attempts(world, task)
    assert [(a["attempt"], a["status"], a["error"]["type"]) for a in found["attempts"]] == [
        (1, "FAILED", "ValueError"),
        (2, "FAILED", "KeyError"),
    ]
    assert found["attempts"][0]["retryAt"] == rfc3339(START_MS + 60_000)
    assert "nextCursor" not in found


def test_pages_of_attempts_tell_each_once(world: World) -> None:
    task = start(world, retry={"maxRetries": 3, "initialMs": 0})
    for _ in range(3):
        world.fail(claim(world))
        world.settle()
    claim(world)
    told: list[Any] = []
    query = {"limit": "1"}
    while True:
        page = attempts(world, task, **query)
        assert len(page["attempts"]) <= 1
        told += page["attempts"]
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]
    assert [(a["attempt"], a["status"], "endedAt" in a) for a in told] == [
        (1, "FAILED", True),
        (2, "FAILED", True),
        (3, "FAILED", True),
        (4, "RUNNING", False),
    ]


def test_a_silent_worker_loses_its_lease_and_a_heartbeat_is_shown(world: World) -> None:
    task = start(world, maxRetries=1)
    first = claim(world)
    assert report(world, first, "heartbeat", details={"row": 7}, progress=0.25).body == {"cancelRequested": False}
    beat = look(world, task)["lastHeartbeat"]
    assert beat == {"attempt": 1, "at": rfc3339(START_MS), "details": {"row": 7}, "progress": 0.25}
    world.jump(61)
    world.jump(61)
    again = claim(world)
    assert (again["attempt"], again["heartbeatDetails"]) == (2, {"row": 7})
    assert report(world, first, "complete").status == 409
    [failed] = [event["data"] for event in events(world, task) if event["type"] == "TASK_FAILED"]
    assert (failed["status"], failed["failureType"]) == ("PENDING", "LEASE_EXPIRED")


def test_a_deadline_and_a_start_to_close_timeout_hold(world: World) -> None:
    late = start(world, timeoutMs=60_000)
    world.jump(60)
    assert_log(world, late, "TASK_CREATED TASK_FAILED")
    assert look(world, late)["failureType"] == "TIMEOUT"
    slow = start(world, startToCloseMs=10_000, maxRetries=0)
    claim(world)
    world.jump(10)
    assert_log(world, slow, "TASK_CREATED TASK_STARTED TASK_FAILED")
    assert look(world, slow)["error"]["type"] == "StartToCloseTimeout"


def test_a_heartbeat_timeout_holds(world: World) -> None:
    task = start(world, heartbeatTimeoutMs=5_000, maxRetries=0)
    claimed = claim(world)
    assert claimed["heartbeatMs"] < 5_000
    world.jump(5)
    assert look(world, task)["error"]["type"] == "HeartbeatTimeout"


def test_a_waiting_task_is_cancelled_once_and_for_all(world: World) -> None:
    task = start(world)
    answers = [world.request("DELETE", f"/task-executions/{task}", reason="changed my mind") for _ in range(2)]
    assert [(answer.status, answer.body) for answer in answers] == [(200, {"sequence": 2})] * 2
    world.settle()
    assert_log(world, task, "TASK_CREATED TASK_CANCELLED")
    assert look(world, task)["error"] == {"type": "TaskCancelled", "message": "changed my mind"}
    assert world.claim_all("charge") == []


def test_a_running_task_hears_of_its_cancellation_and_can_report_no_more(world: World) -> None:
    task = start(world)
    claimed = claim(world)
    assert world.request("DELETE", f"/task-executions/{task}").body == {"sequence": 3}
    world.settle()
    assert report(world, claimed, "heartbeat").body == {"cancelRequested": True}
    assert report(world, claimed, "complete").body["code"] == "EXECUTION_CLOSED"
    assert_log(world, task, "TASK_CREATED TASK_STARTED TASK_CANCELLED")
    assert attempts(world, task)["attempts"][0]["status"] == "CANCELLED"


def test_a_task_that_has_ended_is_not_cancelled(world: World) -> None:
    task = start(world)
    world.complete(claim(world))
    answer = world.request("DELETE", f"/task-executions/{task}")
    assert (answer.status, answer.body["code"]) == (409, "EXECUTION_CLOSED")


def test_an_idempotency_key_stands_for_one_task_until_it_has_failed(world: World) -> None:
    first = ask(world, input=1, idempotencyKey="k")
    again = ask(world, input=1, idempotencyKey="k")
    assert (first.status, again.status) == (201, 200)
    assert first.body["taskExecutionId"] == again.body["taskExecutionId"]
    assert (again.body["idempotencyKeyUsed"], again.body["idempotencyKeyNew"]) == (True, False)
    other = ask(world, input=2, idempotencyKey="k")
    assert (other.status, other.body["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    workflow = world.request("POST", "/workflow-executions", {"kind": "catches", "idempotencyKey": "k"})
    assert workflow.status == 201
    world.request("DELETE", f"/task-executions/{first.body['taskExecutionId']}")
    world.settle()
    freed = ask(world, input=2, idempotencyKey="k")
    assert freed.status == 201


def test_a_task_waits_where_its_kind_is_registered_unless_somebody_says_otherwise(world: World) -> None:
    body: JsonObject = {"name": "w", "queue": "cards", "taskKinds": ["refund"]}
    assert world.request("POST", "/workers", body).status == 201
    assert look(world, start(world, kind="refund"))["queue"] == "cards"
    assert look(world, start(world, kind="refund", queue="other"))["queue"] == "other"


def test_an_input_that_does_not_fit_the_registered_schema_is_refused(world: World) -> None:
    schema: JsonObject = {"type": "object", "properties": {"amount": {"type": "integer"}}, "required": ["amount"]}
    definition: JsonObject = {"kind": "typed", "inputSchema": schema}
    body: JsonObject = {"name": "w", "queue": "default", "taskDefinitions": [definition]}
    assert world.request("POST", "/workers", body).status == 201
    answer = ask(world, kind="typed", input={"amount": "five"})
    assert (answer.status, answer.body["details"][0]["pointer"]) == (422, "/input/amount")
    assert ask(world, kind="typed", input={"amount": 5}).status == 201


def test_it_is_in_the_feed_but_in_no_list_of_executions(world: World) -> None:
    task = start(world)
    key = world.key(task)
    assert projection.project(world.services, {key: 1}) == {}
    assert projection.is_projected(world.services, key, 1)
    assert world.request("GET", "/workflow-executions").body["executions"] == []


def test_an_unknown_kind_is_refused(world: World) -> None:
    answer = ask(world, kind="chrage")
    assert (answer.status, answer.body["code"]) == (404, "UNKNOWN_TASK_KIND")


def test_a_workflows_task_is_shown_but_neither_cancelled_nor_followed(world: World) -> None:
    execution = world.start("retries")
    world.settle()
    task = f"{execution}.t1"
    assert look(world, task)["workflowExecutionId"] == execution
    for method, rest in (("DELETE", ""), ("GET", "/events")):
        answer = world.request(method, f"/task-executions/{task}{rest}")
        assert (answer.status, answer.body["code"]) == (409, "TASK_OF_WORKFLOW")
    for _ in range(3):
        world.fail(world.claim("fails")["fails"])
        world.settle()
        world.jump(10)
    shown = look(world, task)
    assert (shown["status"], shown["executionCount"], shown["links"]["events"].split("/")[-2]) == (
        "FAILED",
        3,
        execution,
    )
    assert [a["attempt"] for a in attempts(world, task)["attempts"]] == [1, 2, 3]


def test_a_standalone_task_is_no_execution(world: World) -> None:
    task = start(world)
    for method, rest in (("GET", ""), ("GET", "/events"), ("GET", "/tasks"), ("POST", "/cancel")):
        answer = world.request(method, f"/workflow-executions/{task}{rest}", {} if method == "POST" else None)
        assert (answer.status, answer.body["code"]) == (404, "EXECUTION_NOT_FOUND")
    signal: JsonObject = {"signalName": "s"}
    assert world.request("POST", f"/workflow-executions/{task}/signal", signal).status == 404


@pytest.mark.parametrize("id", ["01X.t0", "01X.t1", "01X", "01X.m1"])
def test_an_unknown_task_is_not_found(world: World, id: str) -> None:
    for method, rest in (("GET", ""), ("DELETE", ""), ("GET", "/attempts"), ("GET", "/events")):
        assert world.request(method, f"/task-executions/{id}{rest}").status == 404


def test_the_sweep_queues_a_task_whose_messages_were_all_lost(world: World) -> None:
    answer = world.request("POST", "/task-executions", {"kind": "charge"})
    while batch := world.control.receive(10, 0):
        for received in batch:
            world.control.acknowledge(received)
    assert world.claim_all("charge") == []
    assert sweep.run(world.services) == 1
    world.settle()
    world.complete(claim(world))
    world.settle()
    assert look(world, answer.body["taskExecutionId"])["status"] == "COMPLETED"
    assert sweep.run(world.services) == 0


def test_bodies_are_checked(world: World) -> None:
    for body, pointer in (
        ({"maxRetries": -1}, "/maxRetries"),
        ({"heartbeatTimeoutMs": 10}, "/heartbeatTimeoutMs"),
        ({"retry": {"multiplier": 0.5}}, "/retry/multiplier"),
        ({"maxRetries": 1, "retry": {}}, ""),
        ({"priority": "high"}, "/priority"),
    ):
        answer = ask(world, **body)
        assert (answer.status, answer.body["details"][0]["pointer"]) == (400, pointer)
