"""Tasks and children of an execution, page by page: open ones from its state, ended ones from its log."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import ErrorInfo
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import NotFound
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import work_listing
from flowstrand.service.cancel import cancel
from flowstrand.service.tasks import fail
from flowstrand.service.work_listing import Cursor, Stage, TaskSummary
from tests.unit.service.service_world import ORG, ServiceWorld, work

BEGINNING = Cursor(stage=Stage.OPEN)


async def fans_out(driver: Driver, input: JsonValue) -> JsonValue:
    """As many tasks as it is told, and waits for a signal."""
    assert isinstance(input, int)
    for _ in range(input):
        work(driver)
    return await driver.wait_for_signal("go")


async def has_children(driver: Driver, input: JsonValue) -> JsonValue:
    """One child that ends and one that waits."""
    driver.start_child("ends", None, name="quick", queue="default")
    driver.start_child("fans_out", 1, name="slow", queue="default")
    return await driver.wait_for_signal("go")


async def ends(driver: Driver, input: JsonValue) -> JsonValue:
    return "done"


@pytest.fixture
def world() -> ServiceWorld:
    world = ServiceWorld()
    world.code.deployed |= {"fans_out": fans_out, "has_children": has_children, "ends": ends}
    return world


def pages(world: ServiceWorld, execution: str, limit: int, only: Stage | None = None) -> list[list[TaskSummary]]:
    """Every page of tasks, each at most `limit` long."""
    start: Cursor | None = BEGINNING
    found: list[list[TaskSummary]] = []
    while start is not None:
        page = work_listing.tasks(world.services, ORG, execution, limit=limit, start=start, only=only)
        assert len(page.items) <= limit
        found.append(list(page.items))
        start = page.next
    return found


def positions(page: list[TaskSummary]) -> list[str]:
    return [task.task_execution_id.rpartition(".")[2] for task in page]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_every_task_is_on_exactly_one_page_open_ones_first(world: ServiceWorld, limit: int) -> None:
    execution = world.begin(fans_out, 5)
    one, two, *_ = world.claim()
    world.complete(two)
    world.complete(one)
    found = [name for page in pages(world, execution, limit) for name in positions(page)]
    assert found == ["t3", "t4", "t5", "t2", "t1"]


def test_open_and_ended_ones_can_be_had_alone(world: ServiceWorld) -> None:
    execution = world.begin(fans_out, 3)
    first, *_ = world.claim()
    world.complete(first)
    [still_open] = pages(world, execution, 100, Stage.OPEN)
    [ended] = pages(world, execution, 100, Stage.ENDED)
    assert (positions(still_open), positions(ended)) == (["t2", "t3"], ["t1"])


def test_a_task_is_shown_as_it_stands(world: ServiceWorld) -> None:
    execution = world.begin(fans_out, 3)
    first, *_ = world.claim(limit=1)
    error = ErrorInfo(type="Declined", message="no", retryable=False)
    fail(
        world.services,
        ORG,
        first.task_execution_id,
        lease_token=first.lease_token,
        error=error,
        retryable=False,
    )
    world.claim(limit=1)
    [[running, pending, failed]] = pages(world, execution, 100)
    assert (running.status, running.execution_count, running.worker_id) == ("RUNNING", 1, "w-1")
    assert (pending.status, pending.execution_count, pending.worker_id) == ("PENDING", 0, None)
    assert (failed.status, failed.execution_count, failed.error) == ("FAILED", 1, error)
    events = {event.sequence: event.type for event in world.events(execution)}
    assert [events[task.sequence] for task in (running, pending, failed)] == [
        "TASK_STARTED",
        "TASK_CREATED",
        "TASK_FAILED",
    ]


def test_what_an_execution_leaves_behind_is_cancelled(world: ServiceWorld) -> None:
    execution = world.begin(fans_out, 2)
    cancel(world.services, ORG, execution, force=True)
    [[one, two]] = pages(world, execution, 100)
    assert (one.status, two.status) == ("CANCELLED", "CANCELLED")


def test_children_are_shown_as_their_parent_knows_them(world: ServiceWorld) -> None:
    execution = world.begin(has_children)
    page = work_listing.children(world.services, ORG, execution, limit=10, start=BEGINNING)
    assert [(child.name, child.status) for child in page.items] == [("slow", "RUNNING"), ("quick", "COMPLETED")]
    assert page.next is None
    cancel(world.services, ORG, execution)
    page = work_listing.children(world.services, ORG, execution, limit=1, start=BEGINNING)
    assert [(child.name, child.status) for child in page.items] == [("slow", "CANCELLING")]
    assert page.next == Cursor(stage=Stage.ENDED)


def test_an_unknown_execution_has_asked_for_nothing(world: ServiceWorld) -> None:
    with pytest.raises(NotFound):
        work_listing.tasks(world.services, ORG, "01NOBODY", limit=1, start=BEGINNING)
