"""What a process remembers of open logs saves reading, and decides nothing by itself (laws 3, 4 and 11)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowstrand.engine.decide import timer
from flowstrand.engine.events.vocabulary import EventType
from flowstrand.engine.evolve import Draft
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.replay.commands import StartTimer
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.state import ExecutionState
from flowstrand.errors import NotFound
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.append import Tip
from flowstrand.service.container import Services
from flowstrand.service.tips import TipCache
from tests.unit.service.service_world import ServiceWorld, key_of


async def waiting(driver: Driver, input: JsonValue) -> JsonValue:
    """Code that is never run here."""
    return None


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


@pytest.fixture
def execution(world: ServiceWorld) -> str:
    return world.start(waiting)


def start_timer(services: Services, execution: str, position: int) -> None:
    def decide(draft: Draft) -> None:
        timer.start(draft, StartTimer(position=position, fire_at_ms=10**13))

    append.transact(services, key_of(execution), decide)


def test_the_second_look_reads_no_more_than_the_last_commit(world: ServiceWorld, execution: str) -> None:
    for position in range(1, 30):
        start_timer(world.services, execution, position)
    before = world.seam.rows_read
    tip = append.require(world.services, key_of(execution))
    assert tip.state.sequence == 30
    assert world.seam.rows_read - before <= 2


def test_it_is_what_a_process_that_remembers_nothing_reads(world: ServiceWorld, execution: str) -> None:
    for position in range(1, 300):  # enough for checkpoints
        start_timer(world.services, execution, position)
    assert append.require(world.services, key_of(execution)) == append.require(world.boot(), key_of(execution))


def test_what_another_process_has_written_since_is_seen(world: ServiceWorld, execution: str) -> None:
    append.require(world.services, key_of(execution))
    start_timer(world.boot(), execution, 1)
    assert list(append.require(world.services, key_of(execution)).state.timers) == [1]


def test_a_log_that_is_gone_is_not_gone_on_with(world: ServiceWorld, execution: str) -> None:
    start_timer(world.services, execution, 1)
    del world.disk.commits[key_of(execution)]
    with pytest.raises(NotFound):
        start_timer(world.services, execution, 2)
    assert world.events(execution) == []


def test_nothing_is_remembered_where_every_turn_is_to_be_cold() -> None:
    world = ServiceWorld(warm=0)
    execution = world.start(waiting)
    append.require(world.services, key_of(execution))
    assert world.services.tips.newest(key_of(execution)) is None


def tip(name: str, sequence: int) -> Tip:
    key = LogKey(OrgId("acme"), ExecutionId(name))
    state = ExecutionState(
        workflow_execution_id=key.execution_id,
        kind="order",
        queue="default",
        version=None,
        metadata=None,
        parent=None,
        created_at_ms=0,
        sequence=sequence,
        timestamp_ms=0,
    )
    return Tip(key, state)


def test_an_older_tip_does_not_replace_a_newer_one() -> None:
    tips = TipCache()
    for sequence in (3, 2):
        tips.note(tip("a", sequence))
    known = tips.newest(tip("a", 1).key)
    assert known is not None
    assert known.state.sequence == 3


def test_the_tip_of_an_ended_log_is_not_kept() -> None:
    tips = TipCache()
    tips.note(tip("a", 1))
    ended = tip("a", 2)
    tips.note(replace(ended, state=replace(ended.state, closed=EventType.WORKFLOW_COMPLETED)))
    assert tips.newest(ended.key) is None


def test_the_least_recently_used_tip_goes_first() -> None:
    tips = TipCache(2)
    a, b, c = (tip(name, 1) for name in "abc")
    tips.note(a)
    tips.note(b)
    tips.newest(a.key)
    tips.note(c)
    assert [tips.newest(known.key) is not None for known in (a, b, c)] == [True, False, True]
    tips.clear()
    assert tips.newest(a.key) is None
