"""Poison: code that ends its process every time is not run for ever, and what is not the code's fault is not held against it."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import WorkflowFailed
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import executions, leases, wakes
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, kill, unavailable, work

LIMIT = 3
VISIBILITY_MS = 60_000

runs: list[int] = []
"""When code that dies began, by the sequence it had seen."""


async def deadly(driver: Driver, input: JsonValue) -> JsonValue:
    runs.append(driver.delivered_to)
    raise MemoryError


async def deadly_after_a_task(driver: Driver, input: JsonValue) -> JsonValue:
    done = await work(driver)
    runs.append(driver.delivered_to)
    if input != "healthy":
        raise MemoryError
    return done


async def deadly_after_one_of_two(driver: Driver, input: JsonValue) -> JsonValue:
    first, _second = work(driver), work(driver)
    await first
    raise MemoryError


async def operates(driver: Driver, input: JsonValue) -> JsonValue:
    return await driver.run("op", lambda: "done")


@pytest.fixture(params=[0, 16], ids=["cold", "warm"])
def world(request: pytest.FixtureRequest) -> ServiceWorld:
    runs.clear()
    return ServiceWorld(warm=request.param, poison_turns=LIMIT)


def dies(world: ServiceWorld, error: type[BaseException] = MemoryError) -> None:
    """Handle what is due, to the end of the process; another one begins."""
    with pytest.raises(error):
        world.settle()
    world.restart()
    world.clock.advance(VISIBILITY_MS)


def failure_type(world: ServiceWorld, execution: str) -> str | None:
    return executions.get(world.services, ORG, execution).failure_type


def counted(world: ServiceWorld, execution: str) -> object:
    """How many turns are held against the event that the log ends with."""
    item = world.services.directory.get(f"turns#{key_of(execution)}", "-")
    if item is None or item.data["sequence"] != len(world.events(execution)):
        return 0
    return item.data["turns"]


def test_code_that_always_ends_its_process_is_run_as_often_as_is_allowed_and_then_fails(
    world: ServiceWorld,
) -> None:
    execution = world.start(deadly)
    for _ in range(LIMIT):
        dies(world)
    world.settle()
    assert len(runs) == LIMIT
    assert failure_type(world, execution) == "POISON"
    assert world.types(execution) == "WORKFLOW_STARTED WORKFLOW_FAILED"
    world.jump(10 * VISIBILITY_MS)
    assert len(runs) == LIMIT


def test_the_end_cancels_what_is_open(world: ServiceWorld) -> None:
    execution = world.begin(deadly_after_one_of_two)
    world.complete(world.claim(limit=1)[0])
    world.restart()
    for _ in range(LIMIT):
        dies(world)
    world.settle()
    assert world.types(execution).endswith("TASK_COMPLETED TASK_CANCELLED WORKFLOW_FAILED")
    end = world.events(execution)[-1].data
    assert isinstance(end, WorkflowFailed)
    assert (end.horizon, len(end.unseen)) == (1, 1)


def test_an_event_that_arrives_gives_the_code_as_many_turns_again(world: ServiceWorld) -> None:
    execution = world.begin(deadly_after_one_of_two)
    first, second = world.claim()
    world.complete(first)
    world.restart()
    for _ in range(LIMIT - 1):
        dies(world)
    world.complete(second)
    assert counted(world, execution) == 0
    for _ in range(LIMIT):
        dies(world)
    world.settle()
    assert failure_type(world, execution) == "POISON"


def test_a_turn_that_goes_well_leaves_nothing_held_against_it(world: ServiceWorld) -> None:
    execution = world.begin(deadly_after_a_task, "healthy")
    world.complete(world.claim()[0])
    world.settle()
    assert failure_type(world, execution) is None
    assert counted(world, execution) == 0


def test_a_process_that_dies_now_and_then_is_no_poison(world: ServiceWorld) -> None:
    execution = world.start(deadly_after_a_task, "healthy")
    for _ in range(LIMIT - 1):
        world.seam.before("log.put", kill)
        world.die()
        world.clock.advance(VISIBILITY_MS)
    world.settle()
    world.complete(world.claim()[0])
    for _ in range(LIMIT - 1):
        world.seam.before("log.put", kill)
        world.die()
        world.clock.advance(VISIBILITY_MS)
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_code_that_is_missing_is_not_counted(world: ServiceWorld) -> None:
    execution = world.start(deadly)
    code = world.code.deployed.pop("deadly")
    for _ in range(2 * LIMIT):
        wakes.handle(world.services, world.wakes()[0])
    assert counted(world, execution) == 0
    world.code.deployed["deadly"] = code
    dies(world)
    assert counted(world, execution) == 1


def test_a_store_that_fails_is_not_counted(world: ServiceWorld) -> None:
    execution = world.start(operates)
    for _ in range(2 * LIMIT):
        world.seam.before("log.put", *[unavailable] * 4)
        with pytest.raises(StoreUnavailable):
            world.settle()
        world.clock.advance(VISIBILITY_MS)
        assert counted(world, execution) == 0
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_a_lease_that_another_process_holds_is_not_counted(world: ServiceWorld) -> None:
    execution = world.start(operates)
    for _ in range(2 * LIMIT):
        lease = leases.TurnLease(world.services.directory, key_of(execution), "another", 30_000)
        lease.acquire(world.clock.now_ms())
        wakes.handle(world.services, world.wakes()[0])
        assert counted(world, execution) == 0
    assert world.types(execution) == "WORKFLOW_STARTED"


@pytest.mark.parametrize("operation", ["directory.get", "directory.put"])
def test_no_code_runs_while_nobody_can_say_how_often_it_did(world: ServiceWorld, operation: str) -> None:
    world.start(deadly)
    world.seam.before(operation, unavailable)
    with pytest.raises(StoreUnavailable):
        world.settle()
    assert runs == []


def test_two_processes_that_count_at_once_count_both(world: ServiceWorld) -> None:
    execution = world.start(deadly)
    wake = world.wakes()[0]

    def meanwhile() -> None:
        with pytest.raises(MemoryError):
            wakes.handle(world.boot(), wake)

    world.seam.after("directory.get", meanwhile)
    dies(world)
    assert counted(world, execution) == 2


def test_a_limit_of_none_lets_code_die_for_ever() -> None:
    world = ServiceWorld(poison_turns=0)
    execution = world.start(deadly)
    for _ in range(20):
        dies(world)
    assert failure_type(world, execution) is None


def test_an_end_that_cannot_be_appended_is_tried_again_without_running_the_code(world: ServiceWorld) -> None:
    execution = world.start(deadly)
    for _ in range(LIMIT):
        dies(world)
    world.seam.before("log.put", kill)
    world.die()
    world.clock.advance(VISIBILITY_MS)
    world.settle()
    assert failure_type(world, execution) == "POISON"
    assert len(runs) == LIMIT
