"""Deadlines, timeouts of attempts and of executions: what is armed, and what happens when its moment comes."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import ErrorInfo, TaskFailed, TaskStatus, WorkflowFailed
from flowstrand.engine.replay.commands import TaskTerms
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.futures import Future
from flowstrand.errors import ChildWorkflowFailed, Conflict, TaskTimeout
from flowstrand.errors import TaskFailed as RaisedInCode
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import Due, DueKind
from flowstrand.service import executions, sweep, tasks, wakes
from flowstrand.service.tasks import ClaimedTask
from tests.unit.service.service_world import ONCE, ORG, ServiceWorld, key_of, kill, work

SECOND_MS, MINUTE_MS, HOUR_MS = 1_000, 60_000, 3_600_000
ERROR = ErrorInfo(type="ValueError", message="no luck")


def on(driver: Driver, terms: TaskTerms, retries: int = 0) -> Future:
    """Schedule a task on these terms; retries come after a second."""
    retry = type(ONCE)(max_retries=retries, initial_ms=SECOND_MS, multiplier=1, jitter=0)
    return driver.schedule_task("work", None, queue="default", retry=retry, terms=terms)


async def before_a_deadline(driver: Driver, input: JsonValue) -> JsonValue:
    return await caught(on(driver, TaskTerms(timeout_ms=HOUR_MS), retries=3))


async def in_a_minute_and_a_half(driver: Driver, input: JsonValue) -> JsonValue:
    return await caught(on(driver, TaskTerms(start_to_close_ms=90 * SECOND_MS), retries=1))


async def heard_of(driver: Driver, input: JsonValue) -> JsonValue:
    return await caught(on(driver, TaskTerms(heartbeat_timeout_ms=9 * SECOND_MS), retries=1))


async def caught(future: Future) -> JsonValue:
    try:
        return await future
    except TaskTimeout as failure:
        return f"timeout: {failure.error_type}"
    except RaisedInCode as failure:
        return f"failure: {failure.error_type}"


async def asleep(driver: Driver, input: JsonValue) -> JsonValue:
    work(driver)
    await driver.start_timer(driver.now_ms + 10 * HOUR_MS)
    return "done"


async def parent_of_asleep(driver: Driver, input: JsonValue) -> JsonValue:
    try:
        await driver.start_child("asleep", None, name="asleep", queue="default", timeout_ms=HOUR_MS)
    except ChildWorkflowFailed as failure:
        return f"{failure.failure_type}: {failure.error_type}"
    return "not reached"


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def output(world: ServiceWorld, execution: str) -> JsonValue:
    return executions.get(world.services, ORG, execution).output


def failures(world: ServiceWorld, execution: str) -> list[tuple[str, TaskStatus]]:
    data = [event.data for event in world.events(execution)]
    return [(failed.failure_type, failed.status) for failed in data if isinstance(failed, TaskFailed)]


def beat(world: ServiceWorld, task: ClaimedTask) -> None:
    tasks.heartbeat(world.services, ORG, task.task_execution_id, lease_token=task.lease_token)


def fail(world: ServiceWorld, task: ClaimedTask) -> int:
    return tasks.fail(world.services, ORG, task.task_execution_id, lease_token=task.lease_token, error=ERROR)


# --- the deadline -------------------------------------------------------------------------------


def test_a_task_that_nobody_claims_fails_at_its_deadline(world: ServiceWorld) -> None:
    execution = world.begin(before_a_deadline)
    world.jump(HOUR_MS - 1)
    assert failures(world, execution) == []
    world.jump(1)
    assert failures(world, execution) == [("TIMEOUT", TaskStatus.FAILED)]
    assert output(world, execution) == "timeout: DeadlineExceeded"


def test_what_is_reported_after_the_deadline_is_refused(world: ServiceWorld) -> None:
    execution = world.begin(before_a_deadline)
    [task] = world.claim()
    for _ in range(61):
        beat(world, task)
        world.jump(MINUTE_MS - SECOND_MS)
    beat(world, task)
    assert failures(world, execution) == []
    world.jump(SECOND_MS)
    assert failures(world, execution) == [("TIMEOUT", TaskStatus.FAILED)]
    with pytest.raises(Conflict):
        world.complete(task)
    with pytest.raises(Conflict):
        fail(world, task)
    assert world.types(execution).endswith("TASK_FAILED WORKFLOW_RESUMED WORKFLOW_COMPLETED")


def test_a_deadline_is_armed_once_however_often_its_task_is_tried(world: ServiceWorld) -> None:
    execution = world.begin(before_a_deadline)
    for _ in range(2):
        fail(world, world.claim()[0])
        world.jump(SECOND_MS)
    assert [due.kind for due in world.dues()].count(DueKind.DEADLINE) == 1
    world.complete(world.claim()[0])
    world.settle()
    world.jump(HOUR_MS)
    assert output(world, execution) == "done"
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_a_deadline_outlives_the_process_that_was_to_arm_it(world: ServiceWorld) -> None:
    world.seam.before("timers.at", kill)
    execution = world.start(before_a_deadline)
    world.die()
    world.mail.clear()
    sweep.run(world.services)
    world.jump(HOUR_MS)
    assert output(world, execution) == "timeout: DeadlineExceeded"


def test_a_deadline_that_comes_early_comes_again(world: ServiceWorld) -> None:
    execution = world.begin(before_a_deadline)
    due = next(due for due in world.dues() if due.kind is DueKind.DEADLINE)
    wakes.handle(world.services, due)
    assert failures(world, execution) == []
    world.jump(HOUR_MS)
    assert failures(world, execution) == [("TIMEOUT", TaskStatus.FAILED)]


# --- how long one attempt may take --------------------------------------------------------------


def test_an_attempt_that_takes_too_long_is_given_up_though_it_is_heard_of(world: ServiceWorld) -> None:
    execution = world.begin(in_a_minute_and_a_half)
    for _ in range(2):
        [task] = world.claim()
        for _ in range(9):
            beat(world, task)
            world.jump(10 * SECOND_MS)
        with pytest.raises(Conflict):
            beat(world, task)
        world.jump(SECOND_MS)
    assert failures(world, execution) == [("TIMEOUT", TaskStatus.PENDING), ("TIMEOUT", TaskStatus.FAILED)]
    assert output(world, execution) == "timeout: StartToCloseTimeout"


def test_a_worker_that_falls_silent_before_that_has_lost_its_lease(world: ServiceWorld) -> None:
    execution = world.begin(in_a_minute_and_a_half)
    world.claim()
    world.jump(MINUTE_MS)
    assert failures(world, execution) == [("LEASE_EXPIRED", TaskStatus.PENDING)]


# --- how long one attempt may be silent ---------------------------------------------------------


def test_a_silent_attempt_is_given_up_at_its_heartbeat_timeout(world: ServiceWorld) -> None:
    execution = world.begin(heard_of)
    for attempt in (1, 2):
        [task] = world.claim()
        assert (task.lease_ends_at_ms, task.heartbeat_ms) == (world.clock.now_ms() + 9 * SECOND_MS, 3 * SECOND_MS)
        beat(world, task)
        world.jump(5 * SECOND_MS)
        beat(world, task)
        world.jump(9 * SECOND_MS - 1)
        assert len(failures(world, execution)) == attempt - 1
        world.jump(1)
        assert len(failures(world, execution)) == attempt
        world.jump(SECOND_MS)
    assert failures(world, execution) == [("TIMEOUT", TaskStatus.PENDING), ("TIMEOUT", TaskStatus.FAILED)]
    assert output(world, execution) == "timeout: HeartbeatTimeout"


def test_without_a_heartbeat_timeout_workers_beat_as_often_as_they_always_do(world: ServiceWorld) -> None:
    world.begin(before_a_deadline)
    [task] = world.claim()
    assert task.heartbeat_ms == world.services.settings.heartbeat_ms


# --- the execution's own ------------------------------------------------------------------------


def start(world: ServiceWorld, timeout_ms: int) -> str:
    world.code.deployed["asleep"] = asleep
    request = executions.StartRequest(kind="asleep", input=None, timeout_ms=timeout_ms)
    return executions.start(world.services, ORG, request).workflow_execution_id


def test_an_execution_that_is_open_at_its_timeout_fails_without_running_its_code(world: ServiceWorld) -> None:
    execution = start(world, HOUR_MS)
    world.settle()
    del world.code.deployed["asleep"]
    world.jump(HOUR_MS - 1)
    assert world.types(execution) == "WORKFLOW_STARTED TASK_CREATED TIMER_STARTED WORKFLOW_SUSPENDED"
    world.jump(1)
    assert world.types(execution).endswith("WORKFLOW_SUSPENDED TASK_CANCELLED TIMER_CANCELLED WORKFLOW_FAILED")
    snapshot = executions.get(world.services, ORG, execution)
    assert (snapshot.failure_type, snapshot.error and snapshot.error.type) == ("TIMEOUT", "WorkflowTimeout")


def test_an_execution_whose_code_nobody_has_meets_its_timeout_all_the_same(world: ServiceWorld) -> None:
    execution = start(world, HOUR_MS)
    world.code.deployed.clear()
    world.settle()
    world.jump(HOUR_MS)
    assert world.types(execution) == "WORKFLOW_STARTED WORKFLOW_FAILED"


def test_a_timeout_that_comes_twice_early_or_late_ends_it_once(world: ServiceWorld) -> None:
    execution = start(world, HOUR_MS)
    world.settle()
    key = key_of(execution)
    due = Due(org=key.org, execution_id=key.execution_id, kind=DueKind.WORKFLOW, position=0)
    wakes.handle(world.services, due)
    assert not world.tally(execution, "WORKFLOW_FAILED")
    world.jump(HOUR_MS)
    wakes.handle(world.services, due)
    world.settle()
    assert world.tally(execution, "WORKFLOW_FAILED") == 1


def test_a_turn_that_is_overtaken_by_the_timeout_is_dropped(world: ServiceWorld) -> None:
    execution = start(world, HOUR_MS)
    key = key_of(execution)
    due = Due(org=key.org, execution_id=key.execution_id, kind=DueKind.WORKFLOW, position=0)

    def time_out() -> None:
        world.clock.advance(HOUR_MS)
        wakes.handle(world.services, due)

    world.seam.before("log.put", time_out)
    world.settle()
    assert world.types(execution) == "WORKFLOW_STARTED WORKFLOW_FAILED"


def test_the_parent_hears_of_its_childs_timeout(world: ServiceWorld) -> None:
    world.code.deployed["asleep"] = asleep
    execution = world.begin(parent_of_asleep)
    world.jump(HOUR_MS)
    assert output(world, execution) == "TIMEOUT: WorkflowTimeout"
    ends = [event.data for event in world.events(f"{execution}.c1") if isinstance(event.data, WorkflowFailed)]
    assert [end.failure_type for end in ends] == ["TIMEOUT"]


def test_code_of_an_execution_that_ended_without_it_is_dropped_from_memory(world: ServiceWorld) -> None:
    execution = start(world, HOUR_MS)
    world.settle()
    world.jump(HOUR_MS)
    assert world.services.warm.take(key_of(execution)) is None
