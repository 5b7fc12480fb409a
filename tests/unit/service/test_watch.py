"""The watch: what stalls is counted, a bounded number of open executions at a time, and each of them in time."""

from __future__ import annotations

import pytest

from flowstrand.engine.replay.driver import Driver
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import open_executions, watch
from flowstrand.service.watch import Watched
from tests.unit.service.service_world import ServiceWorld, key_of, work

MINUTE = 60_000


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


async def order(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver)


async def patient(driver: Driver, input: JsonValue) -> JsonValue:
    await driver.wait_for_signal("go")
    return None


def pass_by(world: ServiceWorld, minutes: int) -> None:
    """Time passes, and everything that is sent is lost."""
    world.mail.clear()
    world.clock.advance(minutes * MINUTE)


def test_what_stalls_is_counted_and_named(world: ServiceWorld, caplog: pytest.LogCaptureFixture) -> None:
    world.begin(patient)
    stalled = world.start(order)
    pass_by(world, 16)
    assert watch.run(world.services) == Watched(looked_at=2, stalled=1)
    [record] = [each for each in caplog.records if each.name == "flowstrand.watch"]
    assert stalled in record.getMessage()
    assert "(STALLED)" in record.getMessage()


def test_what_has_made_progress_lately_or_waits_for_a_worker_does_not(world: ServiceWorld) -> None:
    world.begin(order)
    pass_by(world, 10_000)
    world.start(order)
    assert watch.run(world.services) == Watched(looked_at=2, stalled=0)


def test_a_log_that_cannot_be_read_makes_no_progress(world: ServiceWorld) -> None:
    damaged = world.begin(order)
    del world.disk.commits[key_of(damaged)][0]
    world.restart()
    pass_by(world, 16)
    assert watch.run(world.services) == Watched(looked_at=1, stalled=1)


def test_nothing_open_is_nothing_to_look_at(world: ServiceWorld) -> None:
    assert watch.run(world.services) == Watched(looked_at=0, stalled=0)


def test_each_watch_goes_on_where_the_last_one_ended_until_all_have_been_looked_at(world: ServiceWorld) -> None:
    for _ in range(20):
        world.start(order)
    pass_by(world, 16)
    assert [watch.run(world.services, most=8).stalled for _ in range(5)] == [8] * 5
    assert watch.run(world.services, most=100) == Watched(looked_at=20, stalled=20)


@pytest.mark.parametrize("is_gone", [True, False])
def test_behind_a_row_come_all_others_once_and_at_last_itself(world: ServiceWorld, *, is_gone: bool) -> None:
    for _ in range(40):
        world.start(order)
    rows = [row.key for row in open_executions.rows(world.services.directory)]
    for place in range(len(rows)):
        behind: LogKey = rows[place]
        expected = [*rows[place + 1 :], *rows[:place], *([] if is_gone else [behind])]
        if is_gone:
            open_executions.remove(world.services.directory, behind)
        assert [row.key for row in open_executions.rows_behind(world.services.directory, behind)] == expected
        open_executions.add(world.services.directory, behind, 0)


def test_it_ends_when_its_time_is_over(world: ServiceWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        world.start(order)
    monkeypatch.setattr(watch, "_LONGEST_MS", -1)
    assert watch.run(world.services).looked_at == 1
