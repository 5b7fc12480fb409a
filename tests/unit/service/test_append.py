"""Load, decide, append (laws 2, 3 and 11): conflicts, ambiguous writes, checkpoints, timestamps."""

from __future__ import annotations

import pytest

from flowstrand.engine.decide import timer
from flowstrand.engine.events import TimerStarted
from flowstrand.engine.evolve import Draft, fold
from flowstrand.engine.replay.commands import StartTimer
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import NotFound, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.service import append
from flowstrand.service.append import Decision
from tests.unit.service.service_world import Hook, ServiceWorld, key_of, nothing, unavailable


async def waiting(driver: Driver, input: JsonValue) -> JsonValue:
    """Code that is never run here."""
    return None


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


@pytest.fixture
def execution(world: ServiceWorld) -> str:
    """An execution of which only sequence 1 is recorded."""
    return world.start(waiting)


def arm(position: int) -> Decision[int]:
    """Start a timer; answers which sequence it was decided behind."""

    def decide(draft: Draft) -> int:
        behind = draft.state.sequence
        timer.start(draft, StartTimer(position=position, fire_at_ms=10**13))
        return behind

    return decide


def positions(world: ServiceWorld, execution: str) -> list[int]:
    return [event.data.position for event in world.events(execution) if isinstance(event.data, TimerStarted)]


def test_a_writer_that_loses_decides_again_on_the_newer_state(world: ServiceWorld, execution: str) -> None:
    world.seam.before("log.put", lambda: append.transact(world.boot(), key_of(execution), arm(2)))
    appended = append.transact(world.services, key_of(execution), arm(1))
    assert (appended.sequence, appended.result) == (3, 2)
    assert positions(world, execution) == [2, 1]
    assert list(appended.tip.state.timers) == [2, 1]


def test_a_loser_reads_only_the_commits_that_it_had_not_seen(world: ServiceWorld, execution: str) -> None:
    for position in range(1, 40):
        append.transact(world.services, key_of(execution), arm(position))
    tip = append.require(world.services, key_of(execution))
    world.seam.before("log.put", lambda: append.transact(world.boot(), key_of(execution), arm(40), tip=tip))
    before = world.seam.rows_read
    append.transact(world.services, key_of(execution), arm(41), tip=tip)
    assert world.seam.rows_read - before <= 3


def test_finding_ones_own_commit_after_a_lost_reply_is_success(world: ServiceWorld, execution: str) -> None:
    world.seam.after("log.put", unavailable)
    appended = append.transact(world.services, key_of(execution), arm(1))
    assert appended.sequence == 2
    assert positions(world, execution) == [1]
    assert world.seam.calls[-2:] == ["log.put", "log.put"]


def test_a_put_that_never_reached_the_store_is_put_again(world: ServiceWorld, execution: str) -> None:
    world.seam.before("log.put", unavailable, unavailable)
    assert append.transact(world.services, key_of(execution), arm(1)).sequence == 2
    assert positions(world, execution) == [1]


def test_somebody_elses_commit_after_a_lost_put_is_a_conflict(world: ServiceWorld, execution: str) -> None:
    def lose_it_to_a_rival() -> None:
        append.transact(world.boot(), key_of(execution), arm(2))
        unavailable()

    world.seam.before("log.put", lose_it_to_a_rival)
    assert append.transact(world.services, key_of(execution), arm(1)).sequence == 3
    assert positions(world, execution) == [2, 1]


def test_a_store_that_keeps_failing_is_reported_and_nothing_is_recorded(
    world: ServiceWorld, execution: str
) -> None:
    world.seam.before("log.put", *[unavailable] * 4)
    with pytest.raises(StoreUnavailable):
        append.transact(world.services, key_of(execution), arm(1))
    assert positions(world, execution) == []


def test_too_many_conflicts_give_up_with_what_was_read_last(world: ServiceWorld, execution: str) -> None:
    def rival(position: int) -> Hook:
        return lambda: append.transact(world.boot(), key_of(execution), arm(position))

    # Each of our puts is preceded by a rival's, which itself passes the seam.
    world.seam.before("log.put", rival(2), nothing, rival(3), nothing, rival(4), nothing)
    with pytest.raises(append.Contended) as contended:
        append.transact(world.services, key_of(execution), arm(1), conflicts=3)
    assert contended.value.tip.state.sequence == 4
    assert positions(world, execution) == [2, 3, 4]


def test_a_decision_to_do_nothing_writes_nothing(world: ServiceWorld, execution: str) -> None:
    appended = append.transact(world.services, key_of(execution), lambda draft: timer.fire(draft, 9))
    assert (appended.sequence, appended.events, appended.result) == (None, (), False)
    assert len(world.commits(execution)) == 1


def test_only_a_start_may_write_into_an_empty_log(world: ServiceWorld) -> None:
    with pytest.raises(NotFound) as refused:
        append.transact(world.services, key_of("01NEVER"), arm(1))
    assert refused.value.code == "EXECUTION_NOT_FOUND"
    assert world.events("01NEVER") == []


def test_a_decision_that_refuses_leaves_the_log_alone(world: ServiceWorld, execution: str) -> None:
    def refuse(draft: Draft) -> None:
        arm(1)(draft)
        raise NotFound("no")

    with pytest.raises(NotFound):
        append.transact(world.services, key_of(execution), refuse)
    assert positions(world, execution) == []


def test_a_commit_is_never_dated_before_the_one_that_it_follows(world: ServiceWorld, execution: str) -> None:
    world.clock.advance(-60_000)
    append.transact(world.services, key_of(execution), arm(1))
    world.clock.advance(120_000)
    append.transact(world.services, key_of(execution), arm(2))
    first, second, third = (commit.written_at_ms for commit in world.commits(execution))
    assert (second, third) == (first, first + 60_000)


# --- checkpoints --------------------------------------------------------------------------------


def grown(commits: int, checkpoint_bytes: int = 2_000) -> tuple[ServiceWorld, str]:
    """A log of so many commits, most of which open and settle something."""
    world = ServiceWorld(checkpoint_bytes=checkpoint_bytes)
    execution = world.start(waiting)
    for position in range(1, commits):
        append.transact(world.services, key_of(execution), _arm_and_cancel(position))
    return world, execution


def _arm_and_cancel(position: int) -> Decision[None]:
    def decide(draft: Draft) -> None:
        timer.start(draft, StartTimer(position=position, fire_at_ms=10**13))
        if position > 1:
            timer.cancel(draft, position - 1)

    return decide


def test_a_checkpoint_is_written_when_enough_has_been_written_since_the_last() -> None:
    world, execution = grown(200)
    commits = world.commits(execution)
    at = [commit.sequence for commit in commits if commit.checkpoint is not None]
    assert 2 <= len(at) < len(commits) / 4
    newest: int | None = None
    since, size = 0, 0
    for commit in commits:
        since += len(commit.events)
        if commit.checkpoint is not None:
            assert since > max(2_000, size)
            newest, since, size = commit.sequence, 0, len(commit.checkpoint)
        assert commit.checkpoint_at == newest
        assert since <= max(2_000, size)


def test_loading_from_a_checkpoint_gives_the_state_of_the_whole_history() -> None:
    world, execution = grown(200)
    tip = append.require(world.services, key_of(execution))
    whole = fold(None, (event for commit in world.commits(execution) for event in unpack_events(commit)))
    assert tip.state == whole


@pytest.mark.parametrize("commits", [60, 600])
def test_what_loading_reads_does_not_grow_with_the_history(commits: int) -> None:
    world, execution = grown(commits, checkpoint_bytes=500)
    since = [
        c for c in world.commits(execution) if c.sequence >= (world.commits(execution)[-1].checkpoint_at or 1)
    ]
    before = world.seam.rows_read
    append.load(world.services, key_of(execution))
    assert world.seam.rows_read - before <= len(since) + 1
    assert len(since) < 50


def test_a_tail_that_holds_a_checkpoint_is_all_that_is_read() -> None:
    world, execution = grown(100, checkpoint_bytes=1)
    position = 1_000
    while world.commits(execution)[-1].checkpoint is None:
        append.transact(world.services, key_of(execution), _arm_and_cancel(position))
        position += 1
    before = world.seam.rows_read
    append.load(world.services, key_of(execution))
    assert world.seam.rows_read - before == 1
