"""What heartbeats carry, through HTTP, on both stores: progress one way, a wish to stop the other way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.world import World


def claimed(world: World, kind: str, *, workflow: str = "works", input: Any = None) -> tuple[str, Any]:
    """An execution of `workflow` and its task, which runs."""
    execution = world.start(workflow, input)
    world.settle()
    return execution, world.claim(kind)[kind]


def beat(world: World, task: Any, **fields: Any) -> Any:
    """One heartbeat of a running task."""
    path = f"/task-executions/{task['taskExecutionId']}/heartbeat"
    return world.request("POST", path, {"leaseToken": task["leaseToken"], **fields})


def standing(world: World, execution: str) -> dict[str, Any]:
    """The first task of an execution, as clients see it."""
    tasks: list[dict[str, Any]] = world.request("GET", f"/workflow-executions/{execution}/tasks").body["tasks"]
    return tasks[0]


def cancel(world: World, execution: str, **fields: Any) -> None:
    """Ask it to end."""
    assert world.request("POST", f"/workflow-executions/{execution}/cancel", fields).status == 200


def test_progress_is_seen_among_the_tasks_of_the_execution(world: World) -> None:
    execution, task = claimed(world, "work")
    assert "lastHeartbeatAt" not in standing(world, execution)
    world.jump(5)

    assert beat(world, task, progress=0.25, details={"row": 7}).body == {"cancelRequested": False}

    shown = standing(world, execution)
    assert (shown["progress"], shown["lastHeartbeatAt"]) == (0.25, "2026-11-23T12:00:05.000Z")
    beat(world, task, progress=1)
    assert standing(world, execution)["progress"] == 1


def test_progress_is_an_attempts_own(world: World) -> None:
    execution, task = claimed(world, "fails", workflow="retries")
    beat(world, task, progress=0.5)
    world.fail(task)
    world.settle()
    assert "progress" not in standing(world, execution)

    world.jump(2)
    world.claim("fails")

    shown = standing(world, execution)
    assert (shown["executionCount"], "progress" in shown, "lastHeartbeatAt" in shown) == (2, False, False)


@pytest.mark.parametrize("progress", [-0.1, 1.1, "half", True, None])
def test_what_is_no_progress_is_refused_or_none_at_all(world: World, progress: Any) -> None:
    execution, task = claimed(world, "work")

    answer = beat(world, task, progress=progress)

    assert answer.status == (200 if progress is None else 400)
    assert "progress" not in standing(world, execution)


def test_a_task_of_an_execution_that_is_asked_to_cancel_is_told_to_stop(world: World) -> None:
    execution, task = claimed(world, "work")
    assert beat(world, task).body == {"cancelRequested": False}
    cancel(world, execution)

    assert beat(world, task).body == {"cancelRequested": True}  # before its workflow has heard of it

    world.settle()
    assert beat(world, task).body == {"cancelRequested": True}  # its task was cancelled with it


def test_work_that_a_cancellation_itself_asks_for_is_not_told_to_stop(world: World) -> None:
    execution, charge = claimed(world, "charge", workflow="undoes")
    world.complete(charge)
    world.settle()
    ship = world.claim("ship")["ship"]
    cancel(world, execution)
    world.settle()
    refund = world.claim("refund")["refund"]

    assert beat(world, ship).body == {"cancelRequested": True}
    assert beat(world, refund).body == {"cancelRequested": False}


def test_a_task_that_is_shielded_is_not_told_to_stop(world: World) -> None:
    execution, task = claimed(world, "work", workflow="shields")
    cancel(world, execution)
    world.settle()

    assert beat(world, task).body == {"cancelRequested": False}

    world.complete(task, "made")
    world.settle()
    assert world.get(execution)["output"] == "made"


def test_a_task_that_its_workflow_cancels_is_told_to_stop(world: World) -> None:
    execution = world.start("race")
    world.settle()
    tasks = world.claim("a", "b")
    world.complete(tasks["b"])
    world.settle()

    assert beat(world, tasks["a"]).body == {"cancelRequested": True}
    assert world.get(execution)["output"] == "b"
