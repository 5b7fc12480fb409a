"""What tasks log, through HTTP, on both stores: by attempt and in order, once, for as long as the log that they are in."""

from __future__ import annotations

from typing import Any

from flowstrand.jsonvalue import JsonObject
from flowstrand.service import mending, task_log_rows
from tests.scenarios.world import Answer, World

DAY_S = 86_400


def claimed(world: World) -> tuple[str, Any]:
    """An execution and the first attempt of its task, of which there may be more."""
    execution = world.start("retries")
    world.settle()
    return execution, world.claim("fails")["fails"]


def log(world: World, task: Any, batch: int, *messages: str, **more: Any) -> Answer:
    """Send a batch, a record for each message."""
    records: list[JsonObject] = [
        {"timestamp": "2026-11-23T12:00:00.000Z", "level": "INFO", "message": message, **more}
        for message in messages
    ]
    body: JsonObject = {"leaseToken": task["leaseToken"], "batch": batch, "records": [*records]}
    return world.request("POST", f"/task-executions/{task['taskExecutionId']}/logs", body)


def logs(world: World, task: Any, **query: str) -> list[tuple[int, str]]:
    """Attempt and message of all that is kept, page by page."""
    path, cursor = f"/task-executions/{task['taskExecutionId']}/logs", dict[str, str]()
    found: list[tuple[int, str]] = []
    while True:
        answer = world.request("GET", path, **query, **cursor)
        assert answer.status == 200, answer
        found += [(record["attempt"], record["message"]) for record in answer.body["records"]]
        if "nextCursor" not in answer.body:
            return found
        cursor = {"cursor": answer.body["nextCursor"]}


def test_two_attempts_are_read_one_after_the_other_in_the_order_in_which_they_spoke(world: World) -> None:
    _, first = claimed(world)
    assert log(world, first, 1, "a", "b").body == {"batchesLeft": 499}
    assert log(world, first, 2, "c").body == {"batchesLeft": 498}
    world.fail(first)
    world.settle()
    world.jump(2)
    second = world.claim("fails")["fails"]
    log(world, second, 1, "d")
    everything = [(1, "a"), (1, "b"), (1, "c"), (2, "d")]
    assert logs(world, first) == logs(world, first, limit="1") == everything
    assert logs(world, first, attempt="2") == [(2, "d")]
    assert logs(world, first, attempt="1", limit="2") == everything[:3]


def test_a_repeated_batch_is_kept_once(world: World) -> None:
    _, task = claimed(world)
    answers = [log(world, task, 1, "once") for _ in range(3)]
    assert {(answer.status, answer.body["batchesLeft"]) for answer in answers} == {(200, 499)}
    assert logs(world, task) == [(1, "once")]


def test_an_attempt_that_has_lost_its_lease_is_still_heard(world: World) -> None:
    execution, task = claimed(world)
    world.jump(60)
    assert log(world, task, 1, "still here").status == 200
    assert world.request("POST", f"/workflow-executions/{execution}/cancel", {"force": True}).status == 200
    world.settle()
    assert world.get(execution)["status"] == "CANCELLED"
    assert log(world, task, 2, "and here").status == 200
    assert logs(world, task) == [(1, "still here"), (1, "and here")]


def test_a_record_is_shown_as_it_was_sent(world: World) -> None:
    _, task = claimed(world)
    said: JsonObject = {
        "timestamp": "2026-11-23T12:00:00.250Z",
        "level": "ERROR",
        "message": "the card was declined",
        "logger": "shop.cards",
        "fields": {"order": {"id": 7}, "tip": None},
        "exception": {"type": "Declined", "message": "no funds", "stack": "Traceback …"},
    }
    body: JsonObject = {"leaseToken": task["leaseToken"], "batch": 1, "records": [said]}
    path = f"/task-executions/{task['taskExecutionId']}/logs"
    assert world.request("POST", path, body).status == 200
    assert world.request("GET", path, level="ERROR").body == {"records": [{"attempt": 1, **said}]}
    assert world.request("GET", path, level="CRITICAL").body == {"records": []}


def test_a_standalone_task_has_a_log_as_any_other(world: World) -> None:
    world.request("POST", "/workers", {"name": "w", "taskKinds": ["work"]})
    world.request("POST", "/task-executions", {"kind": "work", "input": 1})
    world.settle()
    task = world.claim("work")["work"]
    log(world, task, 1, "hello")
    world.complete(task, "done")
    assert logs(world, task) == [(1, "hello")]


def test_what_tasks_have_logged_goes_with_their_log(world: World) -> None:
    execution, task = claimed(world)
    other, kept = claimed(world)
    for number in range(1, 41):  # more rows than are removed at a time
        log(world, task, number, f"{number}")
    log(world, kept, 1, "another's")
    assert world.request("POST", f"/workflow-executions/{execution}/cancel", {"force": True}).status == 200
    world.settle()
    world.jump(29 * DAY_S)
    mending.run(world.services)
    world.clean()
    assert len(logs(world, task)) == 40

    world.jump(DAY_S)
    assert world.clean()["expired"] == 1
    directory = world.services.directory
    assert not directory.scan(f"{task_log_rows.PREFIX}{world.key(execution)}")
    assert len(directory.scan(f"{task_log_rows.PREFIX}{world.key(other)}")) == 1
    late = log(world, task, 41, "late")
    read = world.request("GET", f"/task-executions/{task['taskExecutionId']}/logs")
    assert {(answer.status, answer.body["code"]) for answer in (late, read)} == {(410, "EXECUTION_EXPIRED")}
    assert not directory.scan(f"{task_log_rows.PREFIX}{world.key(execution)}")


def test_what_does_not_fit_is_pointed_at(world: World) -> None:
    _, task = claimed(world)
    path = f"/task-executions/{task['taskExecutionId']}/logs"
    fits: JsonObject = {"timestamp": "2026-11-23T12:00:00Z", "level": "INFO", "message": "hello"}
    for wrong, pointer in (
        ({**fits, "level": "LOUD"}, "/records/0/level"),
        ({**fits, "timestamp": "today"}, "/records/0/timestamp"),
        ({**fits, "message": "x" * 20_000}, "/records/0/message"),
        ({**fits, "fields": []}, "/records/0/fields"),
    ):
        body: JsonObject = {"leaseToken": task["leaseToken"], "batch": 1, "records": [wrong]}
        answer = world.request("POST", path, body)
        assert (answer.status, answer.body["details"][0]["pointer"]) == (400, pointer)
    for query in ({"level": "LOUD"}, {"attempt": "0"}, {"cursor": "x"}, {"limit": "1001"}):
        assert world.request("GET", path, **query).status == 400
    assert logs(world, task) == []
