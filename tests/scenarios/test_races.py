"""S3, S4, S5: facts that arrive before, during and after the turn that they matter to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.transports import TRANSPORTS, Row
from tests.scenarios.world import World

_BEGINNING = "WORKFLOW_STARTED TASK_CREATED TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED TASK_STARTED"


def _assert_log(world: World, execution: str, rest: str) -> None:
    expected: list[Row] = list(enumerate(f"{_BEGINNING} {rest}".split(), start=1))
    for transport in TRANSPORTS:
        assert transport(world, execution) == expected, transport.__name__


def _begin(world: World, kind: str) -> tuple[str, Any, Any]:
    execution = world.start(kind)
    world.settle()
    tasks = world.claim("a", "b")
    world.settle()
    return execution, tasks["a"], tasks["b"]


def _data(world: World, execution: str, sequence: int) -> Any:
    path = f"/workflow-executions/{execution}/events"
    return world.request("GET", path, after=str(sequence - 1), limit="1").body["events"][0]["data"]


def _during_the_turn(world: World, act: Any) -> None:
    """Do `act` when the next turn has decided and is about to append."""
    world.log.before_append = lambda _: act()


def test_s4_a_completion_before_the_turn_costs_no_turn_of_its_own(world: World) -> None:
    execution, a, b = _begin(world, "two-awaits")
    assert (world.complete(a, "A"), world.complete(b, "B")) == (7, 8)
    world.settle()
    _assert_log(world, execution, "TASK_COMPLETED TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.get(execution)["output"] == ["B", "A"]


def test_s4_a_completion_during_the_turn_is_the_next_turns(world: World) -> None:
    execution, a, b = _begin(world, "two-awaits")
    world.complete(b, "B")
    _during_the_turn(world, lambda: world.complete(a, "A"))
    world.settle()
    ending = "WORKFLOW_RESUMED WORKFLOW_SUSPENDED WORKFLOW_RESUMED WORKFLOW_COMPLETED"
    _assert_log(world, execution, f"TASK_COMPLETED TASK_COMPLETED {ending}")
    assert _data(world, execution, 8)["kind"] == "a"
    assert _data(world, execution, 10)["horizon"] == 7
    assert _data(world, execution, 10)["waits"] == [{"operations": "1"}]
    assert _data(world, execution, 12)["horizon"] == 10


def test_s4_a_completion_after_the_turn_wakes_it_again(world: World) -> None:
    execution, a, b = _begin(world, "two-awaits")
    world.complete(b, "B")
    world.settle()
    assert world.get(execution)["status"] == "WAITING"
    world.complete(a, "A")
    world.settle()
    _assert_log(
        world,
        execution,
        "TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_SUSPENDED TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED",
    )
    assert world.get(execution)["output"] == ["B", "A"]


def test_s5_the_winner_stays_the_winner_when_the_loser_finishes_during_the_turn(world: World) -> None:
    execution, a, b = _begin(world, "race")
    world.complete(b, "B")
    _during_the_turn(world, lambda: world.complete(a, "A"))
    world.settle()
    _assert_log(world, execution, "TASK_COMPLETED TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    end = _data(world, execution, 10)
    assert (end["output"], end["horizon"], end["unseen"]) == ("b", 7, [8])


def test_s5_the_end_cancels_the_loser_that_is_still_open(world: World) -> None:
    execution, a, b = _begin(world, "race")
    world.complete(b, "B")
    world.settle()
    _assert_log(world, execution, "TASK_COMPLETED WORKFLOW_RESUMED TASK_CANCELLED WORKFLOW_COMPLETED")
    assert _data(world, execution, 9)["kind"] == "a"
    path = f"/task-executions/{a['taskExecutionId']}/complete"
    late = world.request("POST", path, {"leaseToken": a["leaseToken"], "output": "A"})
    assert (late.status, late.body["code"]) == (409, "EXECUTION_CLOSED")
    assert world.get(execution)["currentSequence"] == 10


@pytest.mark.parametrize("count", [1, 50])
def test_s3_parallel_tasks_are_recorded_once_and_cost_one_turn(world: World, count: int) -> None:
    execution = world.start("fan-out", count)
    world.settle()
    tasks = world.claim_all("work")
    assert len(tasks) == count
    for task in reversed(tasks):
        world.complete(task, task["input"] * 2)
    world.settle()
    assert world.get(execution)["output"] == [n * 2 for n in range(count)]
    for transport in TRANSPORTS:
        rows = transport(world, execution)
        assert [sequence for sequence, _ in rows] == list(range(1, len(rows) + 1))
        types = [type_ for _, type_ in rows]
        assert types.count("TASK_COMPLETED") == count
        assert types.count("WORKFLOW_RESUMED") == 1
