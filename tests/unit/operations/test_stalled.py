"""Which open executions stall: something is due, and does not happen; and which do not, however long they wait."""

from __future__ import annotations

import pytest

from flowstrand.engine.replay.driver import Driver
from flowstrand.jsonvalue import JsonValue
from flowstrand.operations.checks.executions import probes
from flowstrand.operations.checks.finding import Finding
from flowstrand.operations.stalled import Survey, survey
from flowstrand.service import open_executions, tasks
from flowstrand.service.projection import project
from flowstrand.service.stalls import Patience
from tests.unit.operations.exported import completed, order
from tests.unit.service.service_world import ORG, ServiceWorld, key_of

MINUTE = 60_000
PATIENCE = Patience(waiting_ms=600 * MINUTE)


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


async def sleeper(driver: Driver, input: JsonValue) -> JsonValue:
    assert isinstance(input, int)
    await driver.start_timer(input)
    return None


async def patient(driver: Driver, input: JsonValue) -> JsonValue:
    await driver.wait_for_signal("go")
    return None


def look(world: ServiceWorld, *, most: int = 100, patience: Patience = PATIENCE) -> Survey:
    return survey(world.services, patience, most=most)


def codes(found: Survey) -> list[str]:
    return [stall.code for stall in found.stalls]


def pass_by(world: ServiceWorld, minutes: int) -> None:
    """Time passes, and everything that is sent is lost."""
    world.mail.clear()
    world.clock.advance(minutes * MINUTE)


def test_an_execution_that_nobody_runs_stalls(world: ServiceWorld) -> None:
    execution = world.start(order)
    pass_by(world, 14)
    assert codes(look(world)) == []
    pass_by(world, 2)
    [stall] = look(world).stalls
    assert (stall.key, stall.code, stall.is_helped_by_wake) == (key_of(execution), "STALLED", True)
    assert "'order'" in stall.message


def test_one_that_waits_for_its_task_does_not(world: ServiceWorld) -> None:
    world.begin(order)
    pass_by(world, 300)
    assert codes(look(world)) == []


def test_a_task_that_no_worker_takes_is_told_after_a_while(world: ServiceWorld) -> None:
    world.begin(order)
    pass_by(world, 601)
    [stall] = look(world).stalls
    assert (stall.code, stall.is_helped_by_wake) == ("TASK_WAITING", False)
    assert "'default'" in stall.message


def test_a_lease_whose_end_was_lost_is_overdue_unless_it_has_been_extended(world: ServiceWorld) -> None:
    world.begin(order)
    [task] = world.claim()
    pass_by(world, 15)
    assert codes(look(world)) == []
    tasks.heartbeat(world.services, ORG, task.task_execution_id, lease_token=task.lease_token)
    pass_by(world, 15)
    assert codes(look(world)) == []
    pass_by(world, 2)
    [stall] = look(world).stalls
    assert (stall.code, "the end of a lease" in stall.message) == ("OVERDUE", True)


def test_an_end_that_nobody_was_told_is_found(world: ServiceWorld) -> None:
    execution = completed(world)
    open_executions.add(world.services.directory, key_of(execution), world.clock.now_ms())
    pass_by(world, 14)
    assert codes(look(world)) == []
    pass_by(world, 2)
    assert codes(look(world)) == ["END_UNTOLD"]


def test_a_timer_that_was_lost_is_overdue(world: ServiceWorld) -> None:
    world.begin(sleeper, world.clock.now_ms() + 60 * MINUTE)
    pass_by(world, 74)
    assert codes(look(world)) == []
    pass_by(world, 2)
    [stall] = look(world).stalls
    assert (stall.code, "a timer (position 1)" in stall.message) == ("OVERDUE", True)


def test_one_that_waits_for_somebody_outside_never_stalls(world: ServiceWorld) -> None:
    world.begin(patient)
    pass_by(world, 100_000)
    assert codes(look(world)) == []


def test_one_that_ended_and_is_not_projected_is_the_projectors(world: ServiceWorld) -> None:
    execution = completed(world)
    pass_by(world, 30)
    found = look(world)
    assert codes(found) == []
    assert (found.lagging, found.lag_ms) == (1, 30 * MINUTE)
    project(world.services, {key_of(execution): world.commits(execution)[-1].last_sequence})
    assert look(world).lagging == 0


def test_a_row_that_leads_nowhere_is_told_when_the_sweep_should_have_removed_it(world: ServiceWorld) -> None:
    open_executions.add(world.services.directory, key_of("never-began"), world.clock.now_ms())
    pass_by(world, 70)
    assert codes(look(world)) == []
    pass_by(world, 10)
    assert codes(look(world)) == ["ROW_ABANDONED"]


def test_a_log_that_cannot_be_read_is_told_and_the_others_are_looked_at(world: ServiceWorld) -> None:
    damaged, other = world.begin(order), world.start(order)
    del world.disk.commits[key_of(damaged)][0]
    world.restart()
    pass_by(world, 20)
    found = {stall.key: stall.code for stall in look(world).stalls}
    assert found == {key_of(damaged): "LOG_UNREADABLE", key_of(other): "STALLED"}


def test_it_looks_at_no_more_than_it_was_told_to(world: ServiceWorld) -> None:
    for _ in range(5):
        world.start(order)
    pass_by(world, 20)
    some = look(world, most=3)
    assert (some.looked_at, len(some.stalls), some.is_all) == (3, 3, False)
    assert look(world, most=5).is_all


def found_by_doctor(world: ServiceWorld, most: int) -> list[Finding]:
    return [finding for probe in probes(world.services, PATIENCE, most=most) for finding in probe.look()]


def test_many_of_a_kind_are_counted_and_a_sample_is_said_to_be_one(world: ServiceWorld) -> None:
    for _ in range(25):
        world.start(order)
    pass_by(world, 20)
    found = found_by_doctor(world, most=23)
    assert [finding.code for finding in found] == ["STALLED"] * 21 + ["PROJECTOR_LAG", "SAMPLED"]
    assert found[20].message == "and 3 more"
