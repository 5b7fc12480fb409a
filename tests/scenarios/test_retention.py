"""Retention: what has ended long ago is 410 everywhere but as it ended, and can be neither reopened nor begun again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flowstrand.directory.port import Directory
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.dynamodb_retention import DynamoRetentionRows
from flowstrand.log.port import AppendConflict, Commit, LogKey
from flowstrand.service import (
    append,
    closed_executions,
    idempotency,
    mending,
    open_executions,
    org_settings,
    promise_keys,
)
from flowstrand.service.org_settings import OrgSettings
from tests.scenarios.transports import history
from tests.scenarios.world import ORG, Answer, World

DAY_S = 86_400
DAYS = 30


def _days(world: World, days: float) -> None:
    world.jump(days * DAY_S)


def _clean(world: World, *, deletes: bool = True) -> Any:
    """Run the janitor; on DynamoDB, let time to live delete what has expired, or take its time."""
    mending.run(world.services)  # what is not projected yet does not expire
    cleaned = world.clean()
    rows: Any = getattr(world.services.retention, "_rows", None)
    if deletes and isinstance(rows, DynamoRetentionRows):
        items = rows._client.scan(TableName=rows._table)["Items"]
        for item in items:
            if "expires_at" in item and int(item["expires_at"]["N"]) * 1_000 <= world.clock.ms:
                key = {name: item[name] for name in ("execution", "sequence")}
                rows._client.delete_item(TableName=rows._table, Key=key)
    return cleaned


def _completed(world: World, **body: Any) -> str:
    """S1, run to its end."""
    answer = world.request("POST", "/workflow-executions", {"kind": "catches", **body})
    assert answer.status == 201
    world.settle()
    world.fail(world.claim("fails")["fails"])
    world.settle()
    return str(answer.body["workflowExecutionId"])


def _refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["code"]


def _stream(world: World, execution: str, **query: str) -> Any:
    route, event = world._event("GET", f"/workflow-executions/{execution}/stream", None, query)
    return world._functions.invoke(route.function, event)


@pytest.mark.parametrize("deletes", [False, True], ids=["marked", "deleted"])
def test_s16_past_retention_every_transport_says_410_and_get_says_how_it_ended(
    world: World, *, deletes: bool
) -> None:
    execution = _completed(world)
    before = world.get(execution)
    path = f"/workflow-executions/{execution}"
    _days(world, DAYS - 1)
    assert _clean(world, deletes=deletes)["expired"] == 0
    assert [sequence for sequence, _ in history(world, execution)] == list(range(1, 8))

    _days(world, 1)
    assert _clean(world, deletes=deletes) == {"expired": 1, "kept": 0, "failed": 0, "is_done": True}

    assert world.get(execution) == before
    assert _refusal(world.request("GET", f"{path}/events")) == (410, "EXECUTION_EXPIRED")
    assert _refusal(world.request("GET", f"{path}/events", wait="20")) == (410, "EXECUTION_EXPIRED")
    assert _refusal(world.request("GET", f"{path}/events", after="3")) == (410, "CURSOR_EXPIRED")
    assert _stream(world, execution).status == 410
    assert _stream(world, execution, after="4", format="cloudevents").status == 410
    # Who had all, or all but the end, misses nothing.
    assert _stream(world, execution, after="7").status == 204
    assert world.request("GET", f"{path}/events", after="7").body["closed"]
    last = world.request("GET", f"{path}/events", after="6").body
    assert [event["type"] for event in last["events"]] in (["WORKFLOW_COMPLETED"], [])


def test_nothing_else_is_known_of_an_expired_execution(world: World) -> None:
    execution = _completed(world)
    _days(world, DAYS)
    _clean(world)
    path = f"/workflow-executions/{execution}"
    answers = [
        world.request("GET", f"{path}/state"),
        world.request("GET", f"{path}/tasks"),
        world.request("GET", f"{path}/children"),
        world.request("POST", f"{path}/signal", {"signalName": "s"}),
        world.request("POST", f"{path}/cancel", {}),
        world.request("POST", f"/promises/{execution}.p1/resolve", {}),
        world.request("POST", f"/task-executions/{execution}.t1/complete", {"leaseToken": "x"}),
    ]
    assert {_refusal(answer) for answer in answers} == {(410, "EXECUTION_EXPIRED")}
    world.settle()


def test_an_expired_log_is_neither_begun_again_nor_goes_on_until_its_name_is_free(world: World) -> None:
    execution = _completed(world)
    key = world.key(execution)
    _days(world, DAYS)
    _clean(world)
    for _ in range(5):  # the last commit goes first, and the name is taken for a while
        with pytest.raises(AppendConflict):
            world.services.log.append(_another_first(world, key))
        tip = append.load(world.services, key)
        assert tip is None or (tip.is_expired and tip.state.closed is not None)
        _days(world, 19)
        _clean(world)
    assert world.get(execution)["code"] == "EXECUTION_NOT_FOUND"
    assert _refusal(world.request("GET", f"/workflow-executions/{execution}/events")) == (
        404,
        "EXECUTION_NOT_FOUND",
    )
    _days(world, 7)
    _clean(world)
    assert world.services.log.tail(key) is None


def _another_first(world: World, key: LogKey) -> Commit:
    commit = world.services.log.commit_at(key, 1)
    assert commit is not None
    return replace(commit, commit_id="another", expires_at_ms=None)


def test_a_key_keeps_its_execution_whole_and_goes_with_it(world: World) -> None:
    org_settings.write(world.services.directory, ORG, OrgSettings(retention_days=1))
    execution = _completed(world, idempotencyKey="k", idempotencyKeyTTL="30d")
    _days(world, 2)
    assert _clean(world)["kept"] == 1
    assert len(history(world, execution)) == 7
    again = world.request("POST", "/workflow-executions", {"kind": "catches", "idempotencyKey": "k"})
    assert (again.status, again.body["workflowExecutionId"]) == (200, execution)
    _days(world, 29)
    assert _clean(world)["expired"] == 1
    assert _partition(world, "idempotency#", idempotency.SHARDS) == []
    assert world.request("POST", "/workflow-executions", {"kind": "catches", "idempotencyKey": "k"}).status == 201


def test_a_key_of_an_execution_that_goes_on_as_another_moves_on_to_that(world: World) -> None:
    started: JsonObject = {"kind": "converses", "input": [], "idempotencyKey": "k"}
    first = world.request("POST", "/workflow-executions", started).body["workflowExecutionId"]
    word: JsonObject = {"signalName": "word", "signalValue": "a"}
    world.request("POST", f"/workflow-executions/{first}/signal", word)
    world.settle()
    second = world.get(first)["continuedAs"]
    _days(world, DAYS)
    assert _clean(world)["expired"] == 1

    again = world.request("POST", "/workflow-executions", started)
    assert (again.status, again.body["workflowExecutionId"]) == (200, second)
    by_name: JsonObject = {"kind": "converses", "input": [], "workflowId": "k", **word}
    signalled = world.request("POST", "/workflow-executions/signal-with-start", by_name)
    assert (signalled.status, signalled.body["workflowExecutionId"]) == (200, second)
    world.settle()
    assert world.request("POST", f"/workflow-executions/{first}/signal", word).status == 200
    world.settle()
    assert world.get(world.get(second)["continuedAs"])["output"] == ["a", "a", "a"]


def _partition(world: World, prefix: str, shards: int) -> list[str]:
    directory: Directory = world.services.directory
    return [item.key for shard in range(shards) for item in directory.scan(f"{prefix}{shard}")]


def test_descendants_are_kept_until_their_root_expires(world: World) -> None:
    root = world.start("waits-for-two")
    world.settle()
    [child] = world.request("GET", f"/workflow-executions/{root}/children").body["children"]
    world.complete(world.claim("work")["work"])
    world.settle()
    assert world.get(child["childWorkflowId"])["status"] == "COMPLETED"

    for _ in range(2):
        _days(world, DAYS)
        assert _clean(world)["expired"] == 0
    world.request("POST", f"/workflow-executions/{root}/signal", {"signalName": "go"})
    world.settle()
    assert world.get(root)["status"] == "COMPLETED"
    _days(world, DAYS - 0.1)
    assert _clean(world)["expired"] == 0
    assert world.request("GET", f"/workflow-executions/{child['childWorkflowId']}/events").status == 200
    _days(world, 0.1)
    expired = 0
    for _ in range(3):  # the child's row may be looked at before the root's
        expired += _clean(world)["expired"]
        _days(world, 1 / 24)
    assert expired == 2
    assert world.request("GET", f"/workflow-executions/{child['childWorkflowId']}/events").status == 410


def test_what_the_directory_has_of_an_execution_goes_with_it(world: World) -> None:
    execution = world.start("approval", "order-1042")
    world.settle()
    assert world.request("POST", "/promises/key:order-1042/resolve", {"value": "yes"}).status == 200
    world.settle()
    assert world.get(execution)["status"] == "COMPLETED"
    mending.run(world.services)
    assert len(world.request("GET", "/workflow-executions").body["executions"]) == 1
    assert _partition(world, "closed#", closed_executions.SHARDS) != []
    _days(world, DAYS)
    _clean(world)
    assert promise_keys.find(world.services, ORG, "order-1042") is None
    assert world.request("GET", "/workflow-executions").body["executions"] == []
    assert _partition(world, "closed#", closed_executions.SHARDS) == []
    assert _partition(world, "open#", open_executions.SHARDS) == []
    answer = world.request("POST", "/promises/key:order-1042/resolve", {})
    assert _refusal(answer) == (404, "PROMISE_NOT_FOUND")


def test_an_open_execution_never_expires(world: World) -> None:
    execution = world.start("catches")
    world.settle()
    closed_executions.add(
        world.services.directory, closed_executions.Closed(key=world.key(execution), due_ms=world.clock.ms)
    )
    _days(world, 400)
    assert _clean(world)["expired"] == 0
    assert [sequence for sequence, _ in history(world, execution)][:3] == [1, 2, 3]
    assert open_executions.contains(world.services.directory, world.key(execution))


def test_an_org_can_keep_its_logs_for_ever_or_for_a_day(world: World) -> None:
    org_settings.write(world.services.directory, ORG, OrgSettings(retention_days=0))
    for_ever = _completed(world)
    _days(world, 1)
    org_settings.write(world.services.directory, ORG, OrgSettings(retention_days=1))
    _days(world, 1)
    for_a_day = _completed(world)
    _days(world, 1.01)
    assert _clean(world)["expired"] == 1
    assert len(history(world, for_ever)) == 7
    assert world.request("GET", f"/workflow-executions/{for_a_day}/events").status == 410


def test_a_standalone_task_expires_as_an_execution_does(world: World) -> None:
    started: JsonObject = {"kind": "work", "input": 1, "idempotencyKey": "k"}
    world.request("POST", "/workers", {"name": "w", "taskKinds": ["work"]})
    task = world.request("POST", "/task-executions", started).body["taskExecutionId"]
    world.settle()
    world.complete(world.claim("work")["work"], "done")
    world.settle()
    before = world.request("GET", f"/task-executions/{task}").body
    assert (before["status"], before["output"]) == ("COMPLETED", "done")

    _days(world, DAYS)
    assert _clean(world)["expired"] == 1
    assert world.request("GET", f"/task-executions/{task}").body == before
    answers = [
        world.request("GET", f"/task-executions/{task}/events"),
        world.request("GET", f"/task-executions/{task}/attempts"),
        world.request("DELETE", f"/task-executions/{task}"),
    ]
    assert {_refusal(answer) for answer in answers} == {(410, "EXECUTION_EXPIRED")}
    again = world.request("POST", "/task-executions", started)
    assert again.status == 201
    assert again.body["taskExecutionId"] != task
