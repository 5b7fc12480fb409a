"""S1, S1b, S1c, S2, S2b, S2c: the two faults that this project exists to rule out, over every store and transport."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios import app
from tests.scenarios.transports import TRANSPORTS, Row, history
from tests.scenarios.world import START_MS, World


def _numbered(types: str) -> list[Row]:
    return list(enumerate(types.split(), start=1))


def _assert_log(world: World, execution: str, types: str) -> None:
    """Every transport shows exactly this log."""
    expected = _numbered(types)
    for transport in TRANSPORTS:
        assert transport(world, execution) == expected, transport.__name__


S1 = (
    "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED TASK_FAILED WORKFLOW_RESUMED WORKFLOW_COMPLETED"
)


@pytest.mark.parametrize(("kind", "output"), [("catches", "caught ValueError"), ("swallows", "early")])
def test_s1_the_failure_comes_before_the_end_that_it_caused(world: World, kind: str, output: str) -> None:
    app.seen.clear()
    execution = world.start(kind)
    world.settle()
    assert world.get(execution)["status"] == "WAITING"
    task = world.claim("fails")["fails"]
    world.jump(1)
    assert not any("TaskFailed" in line for line in app.seen)
    assert world.fail(task) == 5
    world.settle()
    _assert_log(world, execution, S1)
    assert world.get(execution)["output"] == output
    horizons = [e["data"].get("horizon") for e in _events(world, execution)]
    assert (horizons[2], horizons[6]) == (1, 5)


def test_s1b_handlers_run_once_and_only_when_the_task_has_failed(world: World) -> None:
    execution = world.start("swallows")
    world.settle()
    task = world.claim("fails")["fails"]
    app.seen.clear()
    world.jump(1)
    world.fail(task)
    world.settle()
    ran = [line for line in app.seen if "TaskFailed" in line]
    assert set(ran) == {f"except TaskFailed at {START_MS // 1000 + 1}"}
    assert world.get(execution)["status"] == "COMPLETED"


def test_s1b_what_handlers_ask_for_is_recorded_once_and_in_its_place(world: World) -> None:
    execution = world.start("swallows-and-asks")
    world.settle()
    world.fail(world.claim("fails")["fails"])
    world.settle()
    world.complete(world.claim("from-except")["from-except"], "kept")
    world.settle()
    world.complete(world.claim("from-finally")["from-finally"], "dropped")
    world.settle()
    step = "TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED {} WORKFLOW_RESUMED"
    middle = [step.format(end) for end in ("TASK_FAILED", "TASK_COMPLETED", "TASK_COMPLETED")]
    _assert_log(world, execution, " ".join(["WORKFLOW_STARTED", *middle, "WORKFLOW_COMPLETED"]))
    assert world.get(execution)["output"] == "kept"


def test_s1c_retried_failures_leave_the_workflow_waiting(world: World) -> None:
    execution = world.start("retries")
    world.settle()
    for attempt in (1, 2, 3):
        task = world.claim("fails")["fails"]
        assert task["attempt"] == attempt
        world.fail(task)
        world.settle()
        assert world.get(execution)["status"] == ("WAITING" if attempt < 3 else "COMPLETED")
        world.jump(5)
    tries = "TASK_STARTED TASK_FAILED TASK_STARTED TASK_FAILED TASK_STARTED TASK_FAILED"
    _assert_log(
        world,
        execution,
        f"WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED {tries} WORKFLOW_RESUMED WORKFLOW_COMPLETED",
    )
    failures = [e["data"] for e in _events(world, execution) if e["type"] == "TASK_FAILED"]
    assert [failure["status"] for failure in failures] == ["PENDING", "PENDING", "FAILED"]
    assert ["retryAt" in failure for failure in failures] == [True, True, False]


S2 = (
    "WORKFLOW_STARTED CHILD_WORKFLOW_INITIATED WORKFLOW_SUSPENDED CHILD_WORKFLOW_STARTED CHILD_WORKFLOW_COMPLETED "
    "WORKFLOW_RESUMED WORKFLOW_COMPLETED"
)


def test_s2_a_parent_holds_what_it_knows_of_its_child_and_nothing_else(world: World) -> None:
    parent = world.start("parent")
    world.settle()
    child = _events(world, parent)[1]["data"]["childWorkflowId"]
    world.complete(world.claim("work")["work"], 42)
    world.settle()
    _assert_log(world, parent, S2)
    step = "TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED TASK_COMPLETED WORKFLOW_RESUMED"
    _assert_log(world, child, f"WORKFLOW_STARTED {step} WORKFLOW_COMPLETED")
    assert world.get(parent)["output"] == {"given": {"from": "parent"}, "did": 42}
    ended, heard = _events(world, child)[-1], _events(world, parent)[4]
    assert ended["timestamp"] <= heard["timestamp"]


def test_s2b_a_failed_child_can_be_caught(world: World) -> None:
    parent = world.start("catching-parent")
    world.settle()
    _assert_log(world, parent, S2.replace("CHILD_WORKFLOW_COMPLETED", "CHILD_WORKFLOW_FAILED"))
    assert world.get(parent)["output"] == "ERROR: ValueError: no luck"


def test_s2c_five_levels_of_children_end_from_the_bottom_up(world: World) -> None:
    top = world.start("level", 5)
    world.settle()
    execution, ends = top, []
    for _ in range(4):
        _assert_log(world, execution, S2)
        events = _events(world, execution)
        ends.append(events[-1]["timestamp"])
        execution = events[1]["data"]["childWorkflowId"]
    _assert_log(world, execution, "WORKFLOW_STARTED WORKFLOW_COMPLETED")
    assert ends == sorted(ends, reverse=True)
    assert world.get(top)["output"] == 5


def _events(world: World, execution: str) -> list[dict[str, Any]]:
    answer = world.request("GET", f"/workflow-executions/{execution}/events", limit="1000")
    assert [e["sequence"] for e in answer.body["events"]] == [row[0] for row in history(world, execution)]
    return list(answer.body["events"])
