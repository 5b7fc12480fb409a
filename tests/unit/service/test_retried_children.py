"""What a retry does with children: some have ended, some are begun again, and some went on by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.engine.events import (
    ChildInitiated,
    ParentClosePolicy,
    WorkflowStarted,
)
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import ChildWorkflowFailed
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import executions
from flowstrand.service.cancel import cancel
from tests.unit.service.retry_world import (
    HOUR_MS,
    Bug,
    do,
    fail_task,
    output,
    retry,
    status,
)
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, kill, work


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


async def child(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver, kind="childs")


def parent_of(policy: ParentClosePolicy = ParentClosePolicy.CANCEL, child_id: str | None = None) -> Any:
    async def parent(driver: Driver, input: JsonValue) -> JsonValue:
        handle = driver.start_child(
            "child", None, name="the-child", queue="default", child_id=child_id, parent_close_policy=policy
        )
        own = await work(driver, kind="own")
        return [own, await handle]

    return parent


@pytest.fixture
def family(world: ServiceWorld) -> ServiceWorld:
    world.code.deployed["child"] = child
    return world


def test_a_child_that_failed_is_begun_again(family: ServiceWorld) -> None:
    execution = family.begin(parent_of())
    do(family, "own")
    fail_task(family, "childs")
    assert status(family, execution) == "FAILED"
    retried = retry(family, execution)
    started = family.events(f"{retried}.c1")[0].data
    assert isinstance(started, WorkflowStarted)
    assert started.parent is not None
    assert started.parent.workflow_execution_id == retried
    do(family, "childs", "well")
    assert output(family, retried) == ["done", "well"]


def test_a_child_that_completed_is_kept_under_its_own_id(family: ServiceWorld) -> None:
    execution = family.begin(parent_of())
    do(family, "childs", "well")
    fail_task(family, "own")
    retried = retry(family, execution)
    assert not family.events(f"{retried}.c1")
    initiated = next(e.data for e in family.events(retried) if isinstance(e.data, ChildInitiated))
    assert initiated.child_workflow_id == f"{execution}.c1"
    do(family, "own")
    assert output(family, retried) == ["done", "well"]


def test_a_child_that_its_parents_end_cancelled_is_begun_again(family: ServiceWorld) -> None:
    execution = family.begin(parent_of())
    fail_task(family, "own")
    assert status(family, f"{execution}.c1") == "CANCELLED"
    retried = retry(family, execution)
    assert family.tally(retried, "CHILD_WORKFLOW_CANCELLATION_REQUESTED") == 0
    do(family, "own")
    do(family, "childs", "well")
    assert output(family, retried) == ["done", "well"]


def test_a_child_with_an_id_of_its_authors_is_begun_again_under_another(family: ServiceWorld) -> None:
    execution = family.begin(parent_of(child_id="chosen"))
    do(family, "own")
    fail_task(family, "childs")
    retried = retry(family, execution)
    do(family, "childs", "well")
    assert output(family, retried) == ["done", "well"]
    assert status(family, f"{retried}.c1") == "COMPLETED"


def test_a_child_whose_id_was_taken_asks_for_it_again(family: ServiceWorld) -> None:
    request = executions.StartRequest(kind="child", input=None)
    executions.start(family.services, ORG, request, execution_id=key_of("chosen").execution_id)
    execution = family.begin(parent_of(child_id="chosen"))
    do(family, "own")
    assert status(family, execution) == "FAILED"
    retried = retry(family, execution)
    error = executions.get(family.services, ORG, retried).error
    assert error is not None
    assert error.message == "there is another execution 'chosen'"


def test_an_abandoned_child_goes_on_and_tells_the_retry_of_its_end(family: ServiceWorld) -> None:
    execution = family.begin(parent_of(ParentClosePolicy.ABANDON))
    fail_task(family, "own")
    retried = retry(family, execution)
    assert status(family, f"{execution}.c1") == "WAITING"
    do(family, "own")
    assert status(family, retried) == "WAITING"
    do(family, "childs", "well")
    assert output(family, retried) == ["done", "well"]
    assert not family.events(f"{retried}.c1")


def test_the_end_of_an_abandoned_child_before_the_retry_is_told(family: ServiceWorld) -> None:
    execution = family.begin(parent_of(ParentClosePolicy.ABANDON))
    fail_task(family, "own")
    do(family, "childs", "well")
    retried = retry(family, execution)
    do(family, "own")
    assert output(family, retried) == ["done", "well"]


def test_an_abandoned_child_that_has_not_begun_yet_begins_once(family: ServiceWorld) -> None:
    async def parent(driver: Driver, input: JsonValue) -> JsonValue:
        driver.start_child("child", None, name="c", queue="default", parent_close_policy=ParentClosePolicy.ABANDON)
        raise Bug

    execution = family.start(parent)
    family.seam.before("log.put", lambda: None, kill)
    family.die()
    assert status(family, execution) == "FAILED"
    assert not family.events(f"{execution}.c1")
    retried = retry(family, execution)
    family.jump(2 * HOUR_MS)
    assert status(family, f"{execution}.c1") == "WAITING"
    assert not family.events(f"{retried}.c1")


def test_two_retries_hear_of_the_same_child(family: ServiceWorld) -> None:
    execution = family.begin(parent_of(ParentClosePolicy.ABANDON))
    fail_task(family, "own")
    first = retry(family, execution)
    fail_task(family, "own")
    second, third = retry(family, first), retry(family, execution)
    do(family, "childs", "well")
    for _ in range(2):
        do(family, "own")
    assert output(family, second) == output(family, third) == ["done", "well"]


def test_a_cancellation_of_the_retry_reaches_the_child_that_went_on(family: ServiceWorld) -> None:
    execution = family.begin(parent_of(ParentClosePolicy.ABANDON))
    fail_task(family, "own")
    retried = retry(family, execution)
    cancel(family.services, ORG, retried)
    family.settle()
    assert status(family, f"{execution}.c1") == status(family, retried) == "CANCELLED"


def test_a_retried_child_has_no_parent(family: ServiceWorld) -> None:
    async def grandparent(driver: Driver, input: JsonValue) -> JsonValue:
        try:
            return await driver.start_child("child", None, name="c", queue="default")
        except ChildWorkflowFailed:
            return "went on without"

    execution = family.begin(grandparent)
    fail_task(family, "childs")
    assert output(family, execution) == "went on without"
    retried = retry(family, f"{execution}.c1")
    assert executions.get(family.services, ORG, retried).parent_workflow_execution_id is None
    do(family, "childs", "late")
    assert output(family, retried) == "late"
    assert output(family, execution) == "went on without"
