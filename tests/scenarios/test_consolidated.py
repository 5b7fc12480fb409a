"""S2 on the consolidated stream: an execution and its descendants, by cause, over HTTP and both stores; and S16 on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any, TypeAlias

import pytest

from flowstrand.engine.events import EventType
from flowstrand.streams.response import StreamResponse
from flowstrand.views.public_name import public_name
from tests.scenarios import trees
from tests.scenarios.conftest import Everywhere
from tests.scenarios.test_ordering import S2
from tests.scenarios.world import World
from tests.unit.sse_parser import EventSource, parse

Row: TypeAlias = tuple[str, int, str]
"""Of one event: its execution, its sequence there, and its type."""

_TYPES = {public_name(event_type): event_type.value for event_type in EventType}
_ENDS = {"WORKFLOW_COMPLETED", "WORKFLOW_FAILED", "WORKFLOW_CANCELLED"}
_SAYS_IT_ENDED = {"CHILD_WORKFLOW_COMPLETED", "CHILD_WORKFLOW_FAILED"}


@pytest.fixture
def worlds(everywhere: Everywhere) -> Iterator[World]:
    """One of each store: how turns are run makes no difference to readers."""
    return islice(everywhere(trees.APP), 0, None, 2)


# --- reading ------------------------------------------------------------------------------------


async def _first_page(response: StreamResponse) -> bytes:
    """What is there when a response opens."""
    body: Any = response.body
    chunks = [await anext(body), await anext(body)]
    await body.aclose()
    return b"".join(chunks)


async def _whole(response: StreamResponse) -> bytes:
    body: Any = response.body
    return b"".join([chunk async for chunk in body])


def rows_of(stream: bytes) -> list[Row]:
    """The events of a stream of CloudEvents; each says itself, in its id, whose it is."""
    found = []
    for frame in parse(stream):
        event = json.loads(frame.data)
        execution, sequence, _ = frame.last_event_id.split(":")
        assert event["source"].endswith(f"/workflow-executions/{execution}")
        assert event["sequence"] == int(sequence)
        found.append((execution, int(sequence), _TYPES[event["type"]]))
    return found


def whole(world: World, execution: str, **query: str) -> list[Row]:
    """The tree of an execution which has come to its end, descendants and all."""
    return rows_of(asyncio.run(_whole(world.open_tree(execution, format="cloudevents", **query))))


def so_far(world: World, execution: str, **query: str) -> list[Row]:
    """The tree of an execution that has not."""
    return rows_of(asyncio.run(_first_page(world.open_tree(execution, format="cloudevents", **query))))


def log_of(world: World, execution: str) -> list[Any]:
    return list(world.request("GET", f"/workflow-executions/{execution}/events", limit="1000").body["events"])


def assert_by_cause(world: World, rows: list[Row]) -> None:
    """All of the logs that are here, each in its order, and no consequence before its cause."""
    places = {(execution, sequence): place for place, (execution, sequence, _) in enumerate(rows)}
    assert len(places) == len(rows), "something was told twice"
    for execution in {row[0] for row in rows}:
        events = log_of(world, execution)
        own = [row for row in rows if row[0] == execution]
        assert [row[1:] for row in own] == [(event["sequence"], event["type"]) for event in events]
        for event in events:
            _assert_child(world, places, execution, event)


def _assert_child(world: World, places: dict[tuple[str, int], int], execution: str, event: Any) -> None:
    at = places[execution, event["sequence"]]
    child = event["data"].get("childWorkflowId")
    if child is None or event["data"].get("failureType") == "ALREADY_EXISTS" or (child, 1) not in places:
        return
    match event["type"]:
        case "CHILD_WORKFLOW_INITIATED":
            assert at < places[child, 1]
        case "CHILD_WORKFLOW_STARTED":
            assert places[child, 1] < at
        case "CHILD_WORKFLOW_COMPLETED" | "CHILD_WORKFLOW_FAILED":
            for log in [child, *(log for log, _ in places if log.startswith(f"{child}.n"))]:
                assert places[log, len(log_of(world, log))] < at
        case _:
            pass


def assert_joins_up(world: World, execution: str, *, cuts: int = 5) -> list[Row]:
    """However it is cut, and in both formats, what is told joins up to the same."""
    rows = whole(world, execution)
    for format in ("state", "cloudevents"):
        stream = asyncio.run(_whole(world.open_tree(execution, format=format)))
        uncut = parse(stream)
        for cut in {round(number * len(uncut) / cuts) for number in range(cuts + 1)}:
            source = EventSource()
            source.receive(stream.partition(b"\n\n")[0] + b"\n\n")
            source.events, source.last_event_id = uncut[:cut], uncut[cut - 1].last_event_id if cut else ""
            response = world.open_tree(execution, format=format, after=source.last_event_id)
            assert response.status == (204 if cut == len(uncut) else 200)
            if response.status == 200:
                source.receive(asyncio.run(_whole(response)))
            assert source.events == uncut, cut
    return rows


# --- S2 -----------------------------------------------------------------------------------------


def test_s2_a_childs_end_comes_before_its_parent_says_so(worlds: Iterator[World]) -> None:
    for world in worlds:
        parent = world.start("fan", 1)
        world.settle()
        child = f"{parent}.c1"
        world.complete(world.claim("work")["work"], 42)
        world.settle()
        rows = assert_joins_up(world, parent, cuts=14)
        assert_by_cause(world, rows)
        begins, waits, said, ended, *rest = _split(S2, 3, 4, 5)
        assert [(execution, type) for execution, _, type in rows] == [
            *((parent, type) for type in begins),
            (child, "WORKFLOW_STARTED"),
            *((parent, type) for type in waits),
            *(
                (child, type)
                for type in (
                    "TASK_CREATED",
                    "WORKFLOW_SUSPENDED",
                    "TASK_STARTED",
                    "TASK_COMPLETED",
                    "WORKFLOW_RESUMED",
                    "WORKFLOW_COMPLETED",
                )
            ),
            *((parent, type) for type in [*said, *ended]),
        ]
        assert rest == []


def _split(types: str, *at: int) -> list[list[str]]:
    words = types.split()
    bounds = [0, *at, len(words)]
    return [words[start:end] for start, end in pairwise(bounds)]


def test_s2c_levels_of_children_some_of_which_fail_come_out_by_cause(worlds: Iterator[World]) -> None:
    for world in worlds:
        top = world.start("level", 3)
        world.settle()
        rows = whole(world, top)
        assert_by_cause(world, rows)
        assert len({execution for execution, _, _ in rows}) == 15
        assert rows[0][::2] == (top, "WORKFLOW_STARTED")
        assert rows[-1][::2] == (top, "WORKFLOW_COMPLETED")


def test_s16_three_levels_cut_anywhere_join_up(worlds: Iterator[World]) -> None:
    for world in worlds:
        top = world.start("level", 2)
        world.settle()
        assert_by_cause(world, assert_joins_up(world, top))


# --- kinds of children --------------------------------------------------------------------------


def test_a_cancelled_tree_is_told_from_the_request_to_the_ends(worlds: Iterator[World]) -> None:
    for world in worlds:
        parent = world.start("fan", 3)
        world.settle()
        world.jump(1)
        world.cancel(parent, reason="enough")
        world.settle()
        rows = assert_joins_up(world, parent)
        assert_by_cause(world, rows)
        places = {(execution, type): place for place, (execution, _, type) in enumerate(rows)}
        for position in range(1, 4):
            child = f"{parent}.c{position}"
            asked = places[parent, "CHILD_WORKFLOW_CANCELLATION_REQUESTED"]
            assert asked < places[child, "CANCELLATION_REQUESTED"] < places[child, "WORKFLOW_CANCELLED"]


def test_what_a_child_continues_as_belongs_to_it(worlds: Iterator[World]) -> None:
    for world in worlds:
        parent = world.start("asks-rounds")
        world.settle()
        for _ in range(4):
            world.jump(2)
        rows = assert_joins_up(world, parent)
        assert_by_cause(world, rows)
        child = f"{parent}.c1"
        assert [row[0] for row in rows if row[1] == 1] == [parent, child, f"{child}.n1", f"{child}.n2"]
        ends = [row[0] for row in rows if row[2] in _ENDS]
        assert ends == [child, f"{child}.n1", f"{child}.n2", parent]


def test_what_an_execution_continues_as_follows_it(worlds: Iterator[World]) -> None:
    for world in worlds:
        first = world.start("rounds", 2)
        world.settle()
        for _ in range(4):
            world.jump(2)
        rows = assert_joins_up(world, first)
        assert_by_cause(world, rows)
        assert [row[0] for row in rows if row[2] in _ENDS] == [first, f"{first}.n1", f"{first}.n2"]


def test_an_abandoned_child_is_told_of_until_it_ends(worlds: Iterator[World]) -> None:
    for world in worlds:
        parent = world.start("abandons")
        world.settle()
        world.signal(parent, "go")
        world.settle()
        rows = so_far(world, parent)
        assert_by_cause(world, rows)
        assert [row[0] for row in rows if row[2] in _ENDS].count(parent) == 1
        last = _last_id(world, parent)
        world.complete(world.claim("work")["work"])
        world.settle()
        more = whole(world, parent, after=last)
        (abandoned,) = {row[0] for row in more}
        assert abandoned == f"{parent}.c3"
        assert more[-1][2] == "WORKFLOW_COMPLETED"
        assert_by_cause(world, rows + more)
        assert whole(world, parent) == rows + more


def test_children_of_what_has_been_abandoned_and_has_ended_are_told_of_too(worlds: Iterator[World]) -> None:
    for world in worlds:
        top = world.start("lets-others-abandon")
        world.settle()
        for execution in (top, "middle"):
            world.signal(execution, "go")
            world.settle()
        rows, last = so_far(world, top), _last_id(world, top)
        assert {row[0] for row in rows if row[2] in _ENDS} == {top, "middle", "middle.c1", "middle.c2"}
        world.complete(world.claim("work")["work"])
        world.settle()
        more = whole(world, top, after=last)
        assert {row[0] for row in more} == {"middle.c3"}
        assert_by_cause(world, rows + more)


def test_another_execution_that_has_the_id_of_a_child_is_not_told_of(worlds: Iterator[World]) -> None:
    for world in worlds:
        first = world.start("wants-a-name", "dear")
        world.settle()
        second = world.start("wants-a-name", "dear")
        world.settle()
        rows = assert_joins_up(world, second)
        assert {row[0] for row in rows} == {second}
        assert world.get(second)["output"] == "ALREADY_EXISTS"
        assert {row[0] for row in so_far(world, first)} == {first, "dear"}


def test_a_retry_has_the_children_that_it_has_kept(worlds: Iterator[World]) -> None:
    for world in worlds:
        trees.deployed["fixed"] = False
        failed = world.start("mistaken")
        world.settle()
        for task in world.claim_all("work"):
            if task["input"] == "done":
                world.complete(task, "did")
            else:
                left = task
        world.settle()
        trees.deployed["fixed"] = True
        answer = world.request("POST", f"/workflow-executions/{failed}/retry", {})
        retried = answer.body["workflowExecutionId"]
        world.settle()
        world.complete(left, "late")
        world.settle()
        assert world.get(retried)["output"] == ["did", "late"]
        for root in (failed, retried):
            rows = assert_joins_up(world, root)
            assert_by_cause(world, rows)
            assert {row[0] for row in rows} == {root, "left", f"{failed}.c2"}


# --- too many -----------------------------------------------------------------------------------


def test_more_than_a_hundred_that_are_open_are_refused_until_they_are_fewer(worlds: Iterator[World]) -> None:
    for world in islice(worlds, 1):  # what so many do takes long, and how many there are is no store's business
        parent = world.start("fan", 101)
        world.settle()
        assert _refusal(world, parent) == (422, "TOO_MANY_DESCENDANTS")
        claimed = world.claim_all("work")
        world.complete(claimed.pop())
        world.settle()
        assert so_far(world, parent)[0] == (parent, 1, "WORKFLOW_STARTED")
        for task in claimed:
            world.complete(task)
        world.settle()
        assert_by_cause(world, whole(world, parent))


# --- cursors ------------------------------------------------------------------------------------


def test_a_cursor_of_another_stream_or_of_none_is_refused(worlds: Iterator[World]) -> None:
    for world in worlds:
        one, other = world.start("fan", 1), world.start("fan", 1)
        world.settle()
        mine = _last_id(world, one)
        assert _refusal(world, other, after=mine) == (400, "INVALID_CURSOR")
        assert _refusal(world, f"{one}.c1", after=mine) == (400, "INVALID_CURSOR")
        for garbage in (
            "5",
            "x",
            f"{one}:1:AAAA",
            mine[:-1],
            mine + "A",
            mine.replace(":", ";"),
            "\u00e9",
            "a" * 9_000,
        ):
            assert _refusal(world, one, after=garbage) == (400, "INVALID_CURSOR")


def test_a_filter_lets_whole_trees_through(worlds: Iterator[World]) -> None:
    for world in worlds:
        top = world.start("level", 2)
        world.settle()
        ends = whole(world, top, types=",".join(sorted(_ENDS)))
        assert ends == [row for row in whole(world, top) if row[2] in _ENDS]
        assert ends[-1][0] == top


def _last_id(world: World, execution: str) -> str:
    return parse(asyncio.run(_first_page(world.open_tree(execution))))[-1].last_event_id


def _refusal(world: World, execution: str, **query: str) -> tuple[int, str]:
    response = world.open_tree(execution, **query)
    body = json.loads(asyncio.run(_whole(response)))
    assert isinstance(body["error"], str)
    return response.status, body["code"]
