"""Carrying out effects (law 7): whatever is repeated, every receiver asks the log again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flowstrand.engine.events import (
    ChildFailed,
    ChildInitiated,
    ErrorInfo,
    ParentClosePolicy,
    RetryPolicy,
    WorkflowStarted,
)
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of
from flowstrand.errors import ChildWorkflowFailed, LogCorrupted
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import Due, DueKind, Wake
from flowstrand.service import append, open_executions, tasks, wakes
from flowstrand.service.dispatch import MAX_QUEUE_DELAY_MS, dispatch
from tests.unit.service.service_world import (
    ONCE,
    ORG,
    Killed,
    ServiceWorld,
    key_of,
    kill,
    nothing,
    work,
)


async def child(driver: Driver, input: JsonValue) -> JsonValue:
    return [input, await work(driver)]


async def parent(driver: Driver, input: JsonValue) -> JsonValue:
    try:
        return await driver.start_child("child", {"from": "parent"}, name="the-child", queue="default")
    except ChildWorkflowFailed as failure:
        return failure.error_type


async def impatient(driver: Driver, input: JsonValue) -> JsonValue:
    """Ends while its child runs, and lets it run."""
    abandon = ParentClosePolicy.ABANDON
    driver.start_child("child", None, name="the-child", queue="default", parent_close_policy=abandon)
    return await driver.start_timer(driver.now_ms + 1_000)


async def hasty(driver: Driver, input: JsonValue) -> JsonValue:
    """Ends in the turn that asks for its child, and lets it run."""
    abandon = ParentClosePolicy.ABANDON
    driver.start_child("child", None, name="the-child", queue="default", parent_close_policy=abandon)
    return "done"


@pytest.fixture
def world() -> ServiceWorld:
    world = ServiceWorld()
    world.code.deployed["child"] = child
    return world


def wake(execution: str, sequence: int = 1) -> Wake:
    return Wake(org=ORG, execution_id=key_of(execution).execution_id, sequence=sequence)


def again(world: ServiceWorld, execution: str, since: int = 1) -> None:
    """Dispatch every open effect once more."""
    dispatch(world.services, append.require(world.services, key_of(execution)), since)


PARENT_LOG = (
    "WORKFLOW_STARTED CHILD_WORKFLOW_INITIATED WORKFLOW_SUSPENDED CHILD_WORKFLOW_STARTED "
    "CHILD_WORKFLOW_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED"
)


# --- children -----------------------------------------------------------------------------------


def test_a_child_has_its_own_log_and_knows_its_parent(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    started = world.events(f"{execution}.c1")[0].data
    assert isinstance(started, WorkflowStarted)
    assert (started.kind, started.input) == ("child", {"from": "parent"})
    assert started.parent is not None
    assert (started.parent.workflow_execution_id, started.parent.position) == (execution, 1)
    assert world.types(execution).endswith("WORKFLOW_SUSPENDED CHILD_WORKFLOW_STARTED")


@pytest.mark.parametrize(
    ("port", "calls_before"),
    [("directory.put", 0), ("log.put", 1), ("log.put", 2), ("control.send", 0)],
    ids=["before its open row", "before its log", "before it is told in the parent's", "before its wake"],
)
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_child_start_that_is_repeated_after_a_crash_is_one_child(
    world: ServiceWorld, port: str, calls_before: int, side: str
) -> None:
    execution = world.start(parent)
    hooks: list[Callable[[], object]] = [*[nothing] * calls_before, kill]
    getattr(world.seam, side)(port, *hooks)
    world.die()
    world.jump(60_000)
    assert len(world.disk.commits) == 2
    [task] = world.claim()
    world.complete(task, "made")
    world.settle()
    assert world.types(execution) == PARENT_LOG
    assert world.tally(f"{execution}.c1", "WORKFLOW_STARTED") == 1


def test_dispatching_a_started_child_again_starts_nothing(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    world.seam.calls.clear()
    again(world, execution)
    assert "log.put" not in world.seam.calls
    assert world.mail.control == []


def test_the_childs_end_is_told_once_however_often_it_is_dispatched(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    [task] = world.claim()
    world.complete(task, "made")
    world.settle()
    for _ in range(3):
        wakes.handle(world.services, wake(f"{execution}.c1"))
    world.settle()
    assert world.types(execution) == PARENT_LOG


def test_telling_a_parent_again_sends_its_wake_again(world: ServiceWorld) -> None:
    """The process that told it may have died before it woke it."""
    execution = world.begin(parent)
    [task] = world.claim()
    world.settle()
    world.complete(task, "made")
    world.seam.before("control.send", kill)
    world.die()
    assert world.types(execution).endswith("CHILD_WORKFLOW_COMPLETED")
    world.jump(60_000)
    assert world.types(execution) == PARENT_LOG


def test_a_parent_is_woken_even_where_the_childs_end_releases_nothing(world: ServiceWorld) -> None:
    async def twins(driver: Driver, input: JsonValue) -> JsonValue:
        both = [driver.start_child("child", None, name=f"twin-{n}", queue="default") for n in range(2)]
        await all_of(both)
        return None

    execution = world.begin(twins)
    first, second = world.claim()
    world.complete(first)
    wakes.handle(world.services, wake(str(first.workflow_execution_id)))
    assert world.types(execution).endswith("CHILD_WORKFLOW_COMPLETED")
    told = len(world.events(execution))
    assert wake(execution, told) in world.wakes()
    world.complete(second)
    world.settle()
    assert world.tally(execution, "WORKFLOW_RESUMED") == 1
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_an_end_that_overtakes_the_start_records_both(world: ServiceWorld) -> None:
    execution = world.start(parent)
    world.seam.before("log.put", nothing, nothing, kill)  # the turn, the child's log, the parent's CHILD_STARTED
    world.die()
    assert world.types(execution).endswith("WORKFLOW_SUSPENDED")
    wakes.handle(world.services, wake(f"{execution}.c1"))
    [task] = world.claim()
    world.complete(task)
    wakes.handle(world.services, wake(f"{execution}.c1"))
    assert world.types(execution).endswith("CHILD_WORKFLOW_STARTED CHILD_WORKFLOW_COMPLETED")
    world.jump(60_000)
    assert world.types(execution) == PARENT_LOG


def test_a_childs_failure_reaches_the_parent_as_it_was(world: ServiceWorld) -> None:
    async def fails(driver: Driver, input: JsonValue) -> JsonValue:
        raise ValueError("no luck")

    world.code.deployed["child"] = fails
    execution = world.begin(parent)
    [failed] = [event.data for event in world.events(execution) if isinstance(event.data, ChildFailed)]
    assert (failed.failure_type, failed.error.type, failed.error.message) == ("ERROR", "ValueError", "no luck")
    assert world.types(execution).endswith("CHILD_WORKFLOW_FAILED WORKFLOW_RESUMED WORKFLOW_COMPLETED")


def test_a_child_begins_even_where_its_parent_ended_in_the_turn_that_asked_for_it(world: ServiceWorld) -> None:
    execution = world.begin(hasty)
    assert world.types(execution) == "WORKFLOW_STARTED CHILD_WORKFLOW_INITIATED WORKFLOW_COMPLETED"
    assert world.types(f"{execution}.c1") == "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED"


def test_a_parent_killed_between_its_end_and_the_start_of_its_child_still_starts_it(world: ServiceWorld) -> None:
    execution = world.start(hasty)
    world.seam.after("log.put", kill)
    world.die()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    assert world.types(f"{execution}.c1") == ""
    world.jump(60_000)
    assert world.types(f"{execution}.c1") == "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED"


def test_a_parent_that_has_ended_drops_the_childs_end(world: ServiceWorld) -> None:
    execution = world.begin(impatient)
    world.jump(1_000)
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    length = len(world.events(execution))
    [task] = world.claim()
    world.complete(task)
    world.settle()
    assert world.types(f"{execution}.c1").endswith("WORKFLOW_COMPLETED")
    assert len(world.events(execution)) == length
    assert list(open_executions.every(world.services.directory)) == []


def test_a_parent_whose_log_is_gone_drops_the_childs_end(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    del world.disk.commits[key_of(execution)]
    [task] = world.claim()
    world.complete(task)
    world.settle()
    assert world.types(f"{execution}.c1").endswith("WORKFLOW_COMPLETED")
    assert world.events(execution) == []


def test_a_child_that_its_parents_log_does_not_know_is_refused(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    tip = append.require(world.services, key_of(execution))
    [known] = tip.state.children.values()
    tip.state.children[1] = replace(known, initiated_at=1, is_started=False)
    with pytest.raises(LogCorrupted):
        dispatch(world.services, tip, 1)
    assert not isinstance(world.events(execution)[0].data, ChildInitiated)


# --- attempts -----------------------------------------------------------------------------------


def test_tasks_of_one_queue_and_delay_are_sent_in_one_batch(world: ServiceWorld) -> None:
    async def many(driver: Driver, input: JsonValue) -> JsonValue:
        futures = [driver.schedule_task("work", n, queue=f"q{n % 2}", retry=ONCE) for n in range(12)]
        await all_of(futures)
        return None

    world.start(many)
    world.seam.calls.clear()
    world.settle()
    assert world.seam.calls.count("tasks.send") == 2
    assert [(e.message.queue, e.message.message.position) for e in world.mail.tasks] == [
        *[("q0", position) for position in range(1, 13, 2)],
        *[("q1", position) for position in range(2, 13, 2)],
    ]


def after(delay_ms: int) -> Callable[[Driver, JsonValue], object]:
    async def retried(driver: Driver, input: JsonValue) -> JsonValue:
        policy = RetryPolicy(max_retries=1, initial_ms=delay_ms, max_ms=delay_ms, jitter=0)
        return await work(driver, retry=policy)

    return retried


def failed_once(world: ServiceWorld, delay_ms: int) -> str:
    execution = world.begin(after(delay_ms))  # type: ignore[arg-type]  # workflow code
    [task] = world.claim()
    error = ErrorInfo(type="E", message="")
    tasks.fail(world.services, ORG, task.task_execution_id, lease_token=task.lease_token, error=error)
    world.mail.control = [e for e in world.mail.control if isinstance(e.message, Wake)]
    world.settle()
    world.mail.control = [
        e for e in world.mail.control if not (isinstance(e.message, Due) and e.message.kind is DueKind.LEASE)
    ]
    return execution


def test_a_delay_that_a_queue_can_keep_is_the_queues(world: ServiceWorld) -> None:
    failed_once(world, MAX_QUEUE_DELAY_MS)
    assert world.mail.control == []
    assert {e.visible_at_ms for e in world.mail.tasks} == {world.clock.now_ms() + MAX_QUEUE_DELAY_MS}


def test_a_longer_delay_is_a_timers(world: ServiceWorld) -> None:
    execution = failed_once(world, MAX_QUEUE_DELAY_MS + 1)
    assert world.mail.tasks == []
    [armed] = world.mail.control
    assert armed.message == Due(
        org=ORG, execution_id=key_of(execution).execution_id, kind=DueKind.ATTEMPT, position=1, attempt=2
    )
    world.jump(MAX_QUEUE_DELAY_MS)
    assert world.mail.tasks == []
    world.jump(1)
    [second] = world.claim()
    assert second.attempt == 2


def test_what_has_settled_is_not_dispatched_again(world: ServiceWorld) -> None:
    execution = world.begin(child)
    [task] = world.claim()
    world.complete(task)
    tip = append.require(world.services, key_of(execution))
    world.seam.calls.clear()
    dispatch(world.services, tip, 1)
    assert world.seam.calls == []


def test_only_effects_of_commits_from_the_wakes_sequence_on_are_dispatched(world: ServiceWorld) -> None:
    execution = world.begin(child)
    world.mail.tasks.clear()
    again(world, execution, since=4)
    assert world.mail.tasks == []
    again(world, execution, since=2)
    assert len(world.mail.tasks) == 1


def test_a_crash_in_the_middle_of_dispatch_repeats_what_was_sent(world: ServiceWorld) -> None:
    async def two_queues(driver: Driver, input: JsonValue) -> JsonValue:
        futures = [driver.schedule_task("work", None, queue=queue, retry=ONCE) for queue in ("default", "other")]
        await all_of(futures)
        return None

    world.start(two_queues)
    world.seam.after("tasks.send", kill)
    with pytest.raises(Killed):
        world.settle()
    world.restart()
    world.jump(60_000)
    assert [e.message.queue for e in world.mail.tasks] == ["default", "default", "other"]
    assert len(world.claim(limit=1)) == 1
    assert world.claim(limit=1) == []
