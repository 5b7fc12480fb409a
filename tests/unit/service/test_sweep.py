"""The sweep (law 8): whatever was lost on the way, the log knows what is still to be done."""

from __future__ import annotations

import pytest

from flowstrand.engine.replay.driver import Driver
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import DueKind
from flowstrand.service import open_executions, sweep
from tests.unit.service.service_world import Killed, ServiceWorld, key_of, kill, work

HOUR_MS = 3_600_000


async def task_and_timer(driver: Driver, input: JsonValue) -> JsonValue:
    timer = driver.start_timer(driver.now_ms + 60_000)
    done = await work(driver)
    await timer
    return done


async def ends(driver: Driver, input: JsonValue) -> JsonValue:
    return None


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def test_every_open_execution_is_woken_and_no_ended_one(world: ServiceWorld) -> None:
    open_ones = {world.begin(task_and_timer) for _ in range(3)}
    world.begin(ends)
    world.mail.control.clear()
    assert sweep.run(world.services) == 3
    assert {wake.execution_id for wake in world.wakes()} == open_ones
    assert {wake.sequence for wake in world.wakes()} == {1}


def test_more_executions_than_a_batch_are_all_woken(world: ServiceWorld) -> None:
    started = {world.start(task_and_timer) for _ in range(250)}
    world.mail.control.clear()
    assert sweep.run(world.services) == 250
    assert {wake.execution_id for wake in world.wakes()} == started


def test_queues_and_timers_that_were_lost_are_rebuilt_from_the_log(world: ServiceWorld) -> None:
    execution = world.begin(task_and_timer)
    world.mail.clear()
    world.restart()
    sweep.run(world.services)
    world.settle()
    assert [due.kind for due in world.dues()] == [DueKind.TIMER]
    [task] = world.claim()
    world.mail.clear()
    world.restart()
    sweep.run(world.services)
    world.settle()
    assert sorted(due.kind for due in world.dues()) == [DueKind.LEASE, DueKind.TIMER]
    world.complete(task)
    world.jump(60_000)
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    assert sweep.run(world.services) == 0


def test_sweeping_twice_records_nothing_twice(world: ServiceWorld) -> None:
    execution = world.begin(task_and_timer)
    for _ in range(3):
        sweep.run(world.services)
        world.settle()
    assert world.types(execution) == "WORKFLOW_STARTED TIMER_STARTED TASK_CREATED WORKFLOW_SUSPENDED"
    assert len(world.claim(limit=1)) == 1
    assert world.claim() == []
    assert world.tally(execution, "TASK_STARTED") == 1


def test_an_execution_is_in_the_sweeps_sight_before_its_first_commit(world: ServiceWorld) -> None:
    world.seam.after("log.put", kill)
    with pytest.raises(Killed):
        world.start(task_and_timer)
    world.restart()
    assert sweep.run(world.services) == 1
    world.settle()
    [key] = world.disk.commits
    assert world.types(key.execution_id).endswith("WORKFLOW_SUSPENDED")


def test_a_row_whose_execution_was_never_created_is_dropped_after_an_hour(world: ServiceWorld) -> None:
    world.seam.before("log.put", kill)
    with pytest.raises(Killed):
        world.start(task_and_timer)
    world.restart()
    assert sweep.run(world.services) == 1  # it may be on its way
    world.jump(HOUR_MS)
    assert sweep.run(world.services) == 1
    world.jump(1)
    assert sweep.run(world.services) == 0
    assert list(open_executions.every(world.services.directory)) == []


def test_an_old_execution_stays_in_sight_for_as_long_as_it_is_open(world: ServiceWorld) -> None:
    execution = world.start(task_and_timer)
    world.clock.advance(1_000 * HOUR_MS)
    assert sweep.run(world.services) == 1
    assert [key for key, _ in open_executions.every(world.services.directory)] == [key_of(execution)]
