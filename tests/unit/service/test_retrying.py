"""Retries from history: completed work is kept, what failed is done again, and a half-made copy is finished and never run."""

from __future__ import annotations

from functools import partial

import pytest

from flowstrand.engine.decide import timeout
from flowstrand.engine.events import (
    ErrorInfo,
    RetryPolicy,
    RetryRequested,
)
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of
from flowstrand.errors import Conflict, NotFound, OperationFailed, TaskFailed
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import append, executions, retrying, tasks
from flowstrand.service.cancel import cancel
from tests.unit.service.retry_world import (
    HOUR_MS,
    Bug,
    Deployed,
    claim,
    do,
    fail_task,
    output,
    retry,
    status,
    two_tasks,
)
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, work


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


@pytest.fixture
def deployed() -> Deployed:
    deployed = Deployed()
    deployed.ran = []
    return deployed


# --- what is kept, and what is done again --------------------------------------------------------


def test_completed_work_is_kept_and_what_failed_is_done_again(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    do(world, "first", 1)
    fail_task(world, "second")
    assert status(world, execution) == "FAILED"
    before = world.commits(execution)
    retried = retry(world, execution, reason="fixed")
    assert world.types(retried) == (
        "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED TASK_COMPLETED WORKFLOW_RESUMED TASK_CREATED "
        "WORKFLOW_SUSPENDED RETRY_REQUESTED"
    )
    assert status(world, retried) == "WAITING"
    assert do(world, "second", 2) == f"{retried}.t2"
    assert output(world, retried) == [1, 2]
    assert world.commits(execution) == before
    assert not claim(world, "first")


def test_the_last_copied_event_says_what_was_retried_and_why(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    fail_task(world, "first")
    retried = retry(world, execution, reason="fixed", request_id="r1")
    asked = world.events(retried)[-1].data
    assert isinstance(asked, RetryRequested)
    assert (asked.retried_from, asked.retried_from_sequence, asked.reason, asked.request_id) == (
        execution,
        len(world.events(execution)),
        "fixed",
        "r1",
    )
    assert executions.get(world.services, ORG, retried).retried_from == execution


def test_a_task_that_is_done_again_has_all_its_attempts(world: ServiceWorld) -> None:
    async def tries(driver: Driver, input: JsonValue) -> JsonValue:
        return await work(driver, retry=RetryPolicy(max_retries=1, initial_ms=1))

    execution = world.begin(tries)
    for _ in range(2):
        fail_task(world)
        world.jump(10)
    retried = retry(world, execution)
    assert world.types(retried) == "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED RETRY_REQUESTED"
    fail_task(world)
    world.jump(10)
    do(world)
    assert output(world, retried) == "done"


async def falls_back(driver: Driver, input: JsonValue) -> JsonValue:
    try:
        first = await work(driver, kind="first")
    except TaskFailed:
        first = await work(driver, kind="instead")
    return [first, await work(driver, kind="second")]


def test_a_failure_that_an_earlier_turn_has_handled_is_kept(world: ServiceWorld) -> None:
    execution = world.begin(falls_back)
    fail_task(world, "first")
    do(world, "instead", "other")
    fail_task(world, "second")
    retried = retry(world, execution)
    assert world.tally(retried, "TASK_FAILED") == 1
    do(world, "second", 2)
    assert output(world, retried) == ["other", 2]


async def many(driver: Driver, input: JsonValue) -> JsonValue:
    handles = [work(driver, kind=f"part-{number}") for number in range(3)]
    await all_of(handles)
    return [await handle for handle in handles]


def test_failures_that_came_too_late_for_the_failing_turn_are_left_out_as_well(world: ServiceWorld) -> None:
    execution = world.begin(many)
    claimed = {task.kind: task for kind in ("part-0", "part-1", "part-2") for task in claim(world, kind)}
    world.complete(claimed["part-2"], "kept")
    for kind in ("part-0", "part-1"):
        task = claimed[kind]
        error = ErrorInfo(type="E", message=kind)
        tasks.fail(world.services, ORG, task.task_execution_id, lease_token=task.lease_token, error=error)
    world.settle()
    assert status(world, execution) == "FAILED"
    retried = retry(world, execution)
    assert world.tally(retried, "TASK_FAILED") == 0
    do(world, "part-0", "zero")
    do(world, "part-1", "one")
    assert output(world, retried) == ["zero", "one", "kept"]


def test_open_work_is_begun_again(world: ServiceWorld) -> None:
    execution = world.begin(many)
    fail_task(world, "part-0")
    retried = retry(world, execution)
    for number in range(3):
        do(world, f"part-{number}", number)
    assert output(world, retried) == [0, 1, 2]


# --- code that was wrong -------------------------------------------------------------------------


def test_a_failure_of_the_code_alone_is_retried_with_the_code_of_today(
    world: ServiceWorld, deployed: Deployed
) -> None:
    async def buggy(driver: Driver, input: JsonValue) -> JsonValue:
        first = await work(driver, kind="first")
        if not deployed.is_fixed:
            driver.schedule_task("wrong", None, queue="default", retry=RetryPolicy())
            raise Bug
        return [first, await work(driver, kind="right")]

    execution = world.begin(buggy)
    do(world, "first", 1)
    assert status(world, execution) == "FAILED"
    deployed.is_fixed = True
    retried = retry(world, execution)
    assert "wrong" not in str(world.events(retried))
    do(world, "right", 2)
    assert output(world, retried) == [1, 2]


def test_code_that_is_as_wrong_as_before_fails_again(world: ServiceWorld) -> None:
    async def buggy(driver: Driver, input: JsonValue) -> JsonValue:
        await work(driver)
        raise Bug

    execution = world.begin(buggy)
    do(world)
    first = retry(world, execution)
    second = retry(world, first)
    assert [status(world, one) for one in (execution, first, second)] == ["FAILED"] * 3
    assert world.types(first) == world.types(second)
    assert executions.get(world.services, ORG, second).retried_from == first


def test_a_determinism_violation_is_gone_with_the_change_that_caused_it(
    world: ServiceWorld, deployed: Deployed
) -> None:
    async def changed(driver: Driver, input: JsonValue) -> JsonValue:
        await work(driver, kind="first")
        return await work(driver, kind="second")

    async def original(driver: Driver, input: JsonValue) -> JsonValue:
        return await (changed if deployed.is_fixed else two_tasks)(driver, input)

    execution = world.begin(original)
    do(world, "first")
    world.code.deployed["original"] = falls_back  # asks for the same tasks
    world.restart()
    world.code.deployed["original"] = many
    do(world, "second")
    failure = executions.get(world.services, ORG, execution)
    assert failure.failure_type == "DETERMINISM_VIOLATION"
    world.code.deployed["original"] = two_tasks
    retried = retry(world, execution)
    assert output(world, retried) == ["done", "done"]


def test_a_poisoned_execution_runs_its_last_turn_again(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    do(world, "first")
    [second] = claim(world, "second")
    world.complete(second, 2)
    append.transact(
        world.services,
        key_of(execution),
        lambda draft: timeout.poison(draft, sequence=draft.state.sequence, turns=10),
    )
    assert status(world, execution) == "FAILED"
    assert output(world, retry(world, execution)) == ["done", 2]


def test_a_timed_out_execution_has_all_its_time_again(world: ServiceWorld) -> None:
    world.code.deployed["two_tasks"] = two_tasks
    request = executions.StartRequest(kind="two_tasks", input=None, timeout_ms=HOUR_MS)
    execution = executions.start(world.services, ORG, request).workflow_execution_id
    world.settle()
    do(world, "first", 1)
    world.jump(HOUR_MS)
    assert executions.get(world.services, ORG, execution).failure_type == "TIMEOUT"
    retried = retry(world, execution)
    world.jump(HOUR_MS // 2)
    do(world, "second", 2)
    assert output(world, retried) == [1, 2]
    late = retry(world, execution)
    world.jump(HOUR_MS)
    assert executions.get(world.services, ORG, late).failure_type == "TIMEOUT"


# --- functions that the code runs itself ---------------------------------------------------------


def test_steps_that_have_run_do_not_run_again(world: ServiceWorld, deployed: Deployed) -> None:
    def step(name: str) -> JsonValue:
        deployed.ran.append(name)
        if name == "third" and not deployed.is_fixed:
            raise Bug
        return name

    async def steps(driver: Driver, input: JsonValue) -> JsonValue:
        return [await driver.run(name, partial(step, name)) for name in ("first", "second", "third")]

    execution = world.begin(steps)
    assert status(world, execution) == "FAILED"
    deployed.is_fixed = True
    retried = retry(world, execution)
    assert output(world, retried) == ["first", "second", "third"]
    assert deployed.ran == ["first", "second", "third", "third"]


def test_a_step_that_ran_beside_one_that_failed_does_not_run_again(
    world: ServiceWorld, deployed: Deployed
) -> None:
    def step(name: str) -> JsonValue:
        deployed.ran.append(name)
        if name == "bad" and not deployed.is_fixed:
            raise Bug
        return name

    async def beside(driver: Driver, input: JsonValue) -> JsonValue:
        handles = [driver.run(name, partial(step, name)) for name in ("bad", "good", "fine")]
        await all_of(handles, settled=True)
        if any(handle.failure for handle in handles):
            raise Bug
        return [handle.value for handle in handles]

    execution = world.begin(beside)
    assert status(world, execution) == "FAILED"
    deployed.is_fixed = True
    assert output(world, retry(world, execution)) == ["bad", "good", "fine"]
    assert sorted(deployed.ran) == ["bad", "bad", "fine", "good"]


def test_what_was_done_because_of_a_failure_that_is_left_out_is_left_out_with_it(
    world: ServiceWorld, deployed: Deployed
) -> None:
    def step(name: str) -> JsonValue:
        deployed.ran.append(name)
        if name != "instead" and not deployed.is_fixed:
            raise Bug
        return name

    async def steps(driver: Driver, input: JsonValue) -> JsonValue:
        try:
            first = await driver.run("first", lambda: step("first"))
        except OperationFailed:
            first = await driver.run("instead", lambda: step("instead"))
        return [first, await driver.run("second", lambda: step("second"))]

    execution = world.begin(steps)
    deployed.is_fixed = True
    assert output(world, retry(world, execution)) == ["first", "second"]
    assert deployed.ran == ["first", "instead", "second", "first", "second"]


# --- who may be retried, and how often -----------------------------------------------------------


def refused(world: ServiceWorld, execution: str) -> str:
    with pytest.raises((Conflict, NotFound)) as refusal:
        retrying.retry(world.services, ORG, execution)
    return refusal.value.code


def test_only_what_has_failed_can_be_retried(world: ServiceWorld) -> None:
    pending, waiting, completed, cancelled = (world.start(two_tasks) for _ in range(4))
    assert refused(world, pending) == "EXECUTION_NOT_FAILED"
    world.settle()
    assert refused(world, waiting) == "EXECUTION_NOT_FAILED"
    cancel(world.services, ORG, cancelled, force=True)
    cancel(world.services, ORG, completed, force=True)
    assert refused(world, cancelled) == "EXECUTION_NOT_FAILED"
    assert refused(world, "01JD0000000000000000000000") == "EXECUTION_NOT_FOUND"
    assert world.disk.commits.keys() == {key_of(one) for one in (pending, waiting, completed, cancelled)}


def test_one_request_makes_one_execution_and_others_make_others(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    fail_task(world, "first")
    first = retrying.retry(world.services, ORG, execution, request_id="r1")
    again = retrying.retry(world.services, ORG, execution, request_id="r1")
    other = retrying.retry(world.services, ORG, execution, request_id="r2")
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert first.snapshot.workflow_execution_id == again.snapshot.workflow_execution_id
    assert first.snapshot.workflow_execution_id != other.snapshot.workflow_execution_id
    assert retry(world, execution) != retry(world, execution)


def test_ids_do_not_grow_with_each_retry(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    fail_task(world, "first")
    first = retry(world, execution)
    fail_task(world, "first")
    second = retry(world, first)
    assert len(first) == len(second)
    assert first != second
