"""Listing over HTTP, on both stores: executions as they begin, wait and end, fed by the table's stream as it is in AWS."""

from __future__ import annotations

from typing import Any

from flowstrand.jsonvalue import JsonValue
from flowstrand.local.table_stream import stream_record
from flowstrand.log.port import LogKey
from flowstrand.service import feed, listing, mending
from tests.scenarios.world import ORG, World


def project(world: World, *executions: str) -> None:
    """The stream tells of every commit of these executions."""
    commits = [commit for execution in executions for commit in world.log.read(world.key(execution), after=0)]
    records: list[JsonValue] = [stream_record(commit, number) for number, commit in enumerate(commits)]
    answer = world.invoke("projector", {"Records": records})
    assert answer == {"batchItemFailures": []}


def listed(world: World, **query: str) -> list[Any]:
    """Every page."""
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        answer = world.request("GET", "/workflow-executions", None, **query, **cursor)
        assert answer.status == 200, answer
        found += answer.body["executions"]
        if "nextCursor" not in answer.body:
            return found
        cursor = {"cursor": answer.body["nextCursor"]}


def ids(found: list[Any]) -> list[str]:
    return [one["workflowExecutionId"] for one in found]


def test_executions_are_listed_as_they_begin_wait_and_end(world: World) -> None:
    first = world.start("catches")
    world.clock.ms += 1_000
    second = world.start("catches")
    project(world, first, second)
    assert [(one["workflowExecutionId"], one["status"]) for one in listed(world)] == [
        (second, "PENDING"),
        (first, "PENDING"),
    ]

    world.settle()
    project(world, first, second)
    assert ids(listed(world, status="WAITING", limit="1")) == [second, first]
    assert {one["suspendType"] for one in listed(world)} == {"TASK"}

    for task in world.claim_all("fails"):
        world.fail(task)
    world.settle()
    project(world, first, second)
    assert listed(world, status="WAITING") == []
    assert ids(listed(world, status="COMPLETED", kind="catches")) == [second, first]
    for one in listed(world):
        shown = world.get(one["workflowExecutionId"])
        assert (one["status"], one["currentSequence"]) == (shown["status"], shown["currentSequence"])


def test_what_the_stream_lost_is_mended_by_the_sweep(world: World) -> None:
    execution = world.start("catches")
    world.settle()
    for task in world.claim_all("fails"):
        world.fail(task)
    world.settle()
    assert listed(world) == []

    assert world.invoke("projector", {"detail-type": "Scheduled Event"})["projected"] == 1

    assert ids(listed(world, status="COMPLETED")) == [execution]
    assert world.invoke("projector", {"detail-type": "Scheduled Event"})["projected"] == 0


def test_the_feed_has_every_event_once_and_the_janitor_may_take_an_execution_out_of_the_list(world: World) -> None:
    executions = [world.start("catches") for _ in range(3)]
    world.settle()
    project(world, *executions)
    project(world, *reversed(executions))
    mending.run(world.services)
    page = feed.read(world.services, ORG, after=0)
    assert [event.sequence for event in page.events] == list(range(1, len(page.events) + 1))
    for execution in executions:
        key = world.key(execution)
        mine = [event.event.sequence for event in page.events if event.key == key]
        assert mine == list(range(1, _end(world, key) + 1))

    listing.remove(world.services, world.key(executions[0]))

    assert sorted(ids(listed(world))) == sorted(executions[1:])


def _end(world: World, key: LogKey) -> int:
    tail = world.log.tail(key)
    assert tail is not None
    return int(tail.last_sequence)
