"""What tasks emit shares the one sequence, interleaves exactly with state changes, and is never fed to workflow code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import Commit
from flowstrand.service.container import install
from tests.scenarios.transports import collector, history, long_poll, sse_cloudevents
from tests.scenarios.world import World
from tests.unit.sse_parser import parse

_BEGINNING = "WORKFLOW_STARTED TASK_CREATED TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED TASK_STARTED"


def token(text: str) -> JsonObject:
    return {"type": "token", "payload": text}


def _begin(world: World, kind: str) -> tuple[str, Any, Any]:
    execution = world.start(kind)
    world.settle()
    tasks = world.claim("a", "b")
    world.settle()
    return execution, tasks["a"], tasks["b"]


def _assert_log(world: World, execution: str, rest: str) -> None:
    expected = list(enumerate(f"{_BEGINNING} {rest}".split(), start=1))
    for transport in (history, long_poll, sse_cloudevents, collector):
        assert transport(world, execution) == expected, transport.__name__


def test_tokens_interleave_with_state_changes_and_precede_their_tasks_end(world: World) -> None:
    execution, a, b = _begin(world, "two-awaits")
    assert world.emit(a, token("one "), request_id="1").body == {"sequence": 7}
    assert world.complete(b, "B") == 8
    assert world.emit(a, token("two"), {"type": "progress", "payload": 1}, request_id="2").body == {"sequence": 10}
    world.settle()
    assert world.emit(a, token("!"), request_id="3").body == {"sequence": 13}
    world.complete(a, "A")
    world.settle()
    rest = (
        "STREAM_TOKEN TASK_COMPLETED STREAM_TOKEN STREAM_PROGRESS WORKFLOW_RESUMED WORKFLOW_SUSPENDED STREAM_TOKEN"
    )
    _assert_log(world, execution, f"{rest} TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.get(execution)["output"] == ["B", "A"]
    frames = parse(world.stream(execution, format="state"))
    assert "".join(frame.data for frame in frames if frame.type == "token") == "one two!"


def test_a_chunk_that_arrives_during_a_turn_is_rebased_behind_and_changes_nothing(world: World) -> None:
    execution, a, b = _begin(world, "two-awaits")
    world.complete(b, "B")

    def emit(_: Commit) -> None:
        world.emit(a, token("x"), request_id="1")

    world.log.before_append = emit
    world.settle()
    assert world.get(execution)["status"] == "WAITING"
    world.complete(a, "A")
    world.settle()
    ending = "WORKFLOW_RESUMED WORKFLOW_SUSPENDED TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED"
    _assert_log(world, execution, f"TASK_COMPLETED STREAM_TOKEN {ending}")


def test_a_request_repeated_records_nothing_even_after_the_end(world: World) -> None:
    execution, a, b = _begin(world, "two-awaits")
    first = world.emit(a, token("x"), request_id="1")
    assert world.emit(a, token("x"), request_id="1") == first
    world.complete(a)
    world.complete(b)
    world.settle()
    assert world.emit(a, token("x"), request_id="1") == first
    assert [row for row in history(world, execution) if row[1] == "STREAM_TOKEN"] == [(7, "STREAM_TOKEN")]


def test_late_chunks_are_refused_and_never_appended(world: World) -> None:
    execution, a, b = _begin(world, "two-awaits")
    world.complete(a)
    stale = world.emit(a, token("x"), request_id="1")
    world.complete(b)
    world.settle()
    closed = world.emit(a, token("x"), request_id="1")
    assert [(answer.status, answer.body["code"]) for answer in (stale, closed)] == [
        (409, "STALE_ATTEMPT"),
        (409, "EXECUTION_CLOSED"),
    ]
    assert history(world, execution)[-1][1] == "WORKFLOW_COMPLETED"
    assert "STREAM_TOKEN" not in {name for _, name in history(world, execution)}


def test_an_attempt_streams_no_more_than_it_may_and_watchers_see_all_that_was_recorded(world: World) -> None:
    limited = replace(world.services, settings=replace(world.services.settings, stream_chunks_per_attempt=2))
    undo = install(limited)
    try:
        execution, a, b = _begin(world, "two-awaits")
        first = world.emit(a, token("x"), token("y"), request_id="1")
        refused = world.emit(a, token("z"), request_id="2")
        assert world.emit(b, token("x"), request_id="1").status == 200
        assert world.emit(a, token("x"), token("y"), request_id="1") == first
    finally:
        undo()
    assert (refused.status, refused.body["code"]) == (413, "STREAM_LIMIT_REACHED")
    for transport in (history, long_poll):
        assert [name for _, name in transport(world, execution)].count("STREAM_TOKEN") == 3
