"""Schedules on fakes: each run once, whatever dies and whoever else looks; none stranded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schedule.policy import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule.state import Outcome, ScheduleStatus
from flowstrand.engine.schedule.timing import Timing
from flowstrand.engine.schema import EpochMs, rfc3339
from flowstrand.errors import Conflict, InvalidInput, NotFound, StoreUnavailable, Unavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import ScheduleDue
from flowstrand.service import cancel, executions, schedule_index, schedule_rows, schedule_ticks, schedules, sweep
from flowstrand.service.schedule_rows import Schedule
from flowstrand.service.schedules import ScheduleRequest, TriggerOutcome
from tests.support.memory_queues import Envelope
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, kill, nothing, unavailable, work

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


async def ends(driver: Driver, input: JsonValue) -> JsonValue:
    return input


async def works(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver)


@pytest.fixture
def world() -> ServiceWorld:
    made = ServiceWorld()
    made.code.deployed |= {"ends": ends, "works": works}
    made.clock.advance(-made.clock.now_ms() % HOUR + MINUTE)  # a minute past an hour
    return made


def scheduled(
    world: ServiceWorld, kind: str = "ends", *, timing: Timing | None = None, **options: Any
) -> Schedule:
    """A schedule `s`, hourly unless `timing` says otherwise; its first timer is set."""
    start = executions.StartRequest(kind=kind, input="in", metadata={"team": "a"})
    timing = timing or Timing(cron="0 * * * *")
    made = schedules.create(
        world.services, ORG, ScheduleRequest(timing=timing, start=start, schedule_id="s", **options)
    )
    world.settle()
    return made


def to_next_hour(world: ServiceWorld, *, late_ms: int = 0) -> int:
    """Let time pass until the next full hour, or a little later; returns that hour."""
    wait_ms = -world.clock.now_ms() % HOUR or HOUR
    world.jump(wait_ms + late_ms)
    return world.clock.now_ms() - late_ms


def started(world: ServiceWorld) -> list[str]:
    """Every execution that was begun, by its id."""
    return sorted(key.execution_id for key, commits in world.disk.commits.items() if commits)


def outcomes(world: ServiceWorld) -> list[Outcome]:
    """What became of its runs, the newest first."""
    return [past.outcome for past in schedules.runs(world.services, ORG, "s").runs]


def tick(world: ServiceWorld, schedule: Schedule) -> None:
    schedule_ticks.tick(world.services, schedule.due)


def test_a_run_starts_at_each_moment_with_the_schedules_input_and_says_where_it_comes_from(
    world: ServiceWorld,
) -> None:
    schedule = scheduled(world)
    hours = [to_next_hour(world) for _ in range(3)]
    assert started(world) == [f"s-{schedule.state.uid}-{hour}" for hour in hours]
    first = executions.get(world.services, ORG, started(world)[0])
    assert first.output == "in"
    assert first.metadata == {"team": "a", "scheduleId": "s", "scheduledAt": rfc3339(hours[0])}
    assert outcomes(world) == [Outcome.STARTED] * 3


def test_a_schedule_that_is_due_once_completes(world: ServiceWorld) -> None:
    at_ms = world.clock.now_ms() + 40 * DAY
    scheduled(world, timing=Timing(at_ms=EpochMs(at_ms)))
    world.jump(40 * DAY)
    world.jump(DAY)
    assert len(started(world)) == 1
    assert schedules.get(world.services, ORG, "s").state.status is ScheduleStatus.COMPLETED


def test_an_id_that_is_taken_is_refused_and_one_that_was_deleted_is_free_again(world: ServiceWorld) -> None:
    first = scheduled(world)
    with pytest.raises(Conflict) as refused:
        scheduled(world)
    assert refused.value.code == "SCHEDULE_EXISTS"
    to_next_hour(world)
    schedules.delete(world.services, ORG, "s")
    second = scheduled(world)  # before anybody has removed what is left of the first
    assert second.state.uid != first.state.uid
    to_next_hour(world)
    assert len(started(world)) == 2
    assert outcomes(world) == [Outcome.STARTED]


def test_a_deleted_schedule_starts_nothing_and_leaves_only_what_the_store_removes_by_itself(
    world: ServiceWorld,
) -> None:
    scheduled(world)
    schedules.delete(world.services, ORG, "s")
    with pytest.raises(NotFound):
        schedules.get(world.services, ORG, "s")
    assert schedules.listed(world.services, ORG).schedules == ()
    world.settle()
    to_next_hour(world)
    assert started(world) == []
    assert [partition for partition, rows in world.disk.items.items() if rows] == [f"{ORG}#schedules"]
    assert list(schedule_index.every(world.services.directory)) == []


def test_whoever_still_holds_a_deleted_schedule_cannot_write_over_a_new_one_of_its_id(world: ServiceWorld) -> None:
    scheduled(world)
    schedules.pause(world.services, ORG, "s")
    held = schedules.get(world.services, ORG, "s")
    schedules.delete(world.services, ORG, "s")
    world.settle()
    scheduled(world)
    schedules.pause(world.services, ORG, "s")
    with pytest.raises(PreconditionFailed):
        schedule_rows.write(world.services, held, held.state)


def test_what_cannot_be_is_refused_and_nothing_is_created(world: ServiceWorld) -> None:
    with pytest.raises(InvalidInput):
        scheduled(world, timing=Timing(cron="61 * * * *"))
    with pytest.raises(NotFound) as refused:
        scheduled(world, "unheard-of")
    assert refused.value.code == "UNKNOWN_WORKFLOW_KIND"
    for unknown in (schedules.get, schedules.pause, schedules.resume, schedules.delete, schedules.runs):
        with pytest.raises(NotFound):
            unknown(world.services, ORG, "s")
    with pytest.raises(NotFound):
        schedules.trigger(world.services, ORG, "s")
    assert not any(world.disk.items.values())


def test_a_large_input_is_kept_apart_and_given_to_every_run(world: ServiceWorld) -> None:
    large = "x" * 100_000
    start = executions.StartRequest(kind="ends", input=large)
    schedules.create(world.services, ORG, ScheduleRequest(timing=Timing(cron="0 * * * *"), start=start))
    world.settle()
    assert max(len(text) for rows in world.disk.items.values() for text, _ in rows.values()) < 2_000
    to_next_hour(world)
    assert executions.get(world.services, ORG, started(world)[0]).output == large


def test_a_paused_schedule_starts_nothing_until_it_is_resumed(world: ServiceWorld) -> None:
    scheduled(world)
    schedules.pause(world.services, ORG, "s")
    to_next_hour(world)
    sweep.run(world.services)
    to_next_hour(world)
    assert started(world) == []
    schedules.resume(world.services, ORG, "s")
    world.settle()
    assert started(world) == []
    to_next_hour(world)
    assert len(started(world)) == 1


def test_a_run_whose_workflow_is_gone_fails_and_the_schedule_goes_on(world: ServiceWorld) -> None:
    scheduled(world)
    code = world.code.deployed.pop("ends")
    to_next_hour(world)
    [past] = schedules.runs(world.services, ORG, "s").runs
    assert (past.outcome, past.workflow_execution_id) == (Outcome.FAILED, None)
    assert past.reason is not None
    assert "ends" in past.reason
    world.code.deployed["ends"] = code
    to_next_hour(world)
    assert outcomes(world) == [Outcome.STARTED, Outcome.FAILED]


# --- overlap ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "types"),
    [
        (OverlapPolicy.ALLOW, ["open", "open"]),
        (OverlapPolicy.SKIP, ["open"]),
        (OverlapPolicy.BUFFER_ONE, ["open"]),
        (OverlapPolicy.CANCEL_OTHER, ["WORKFLOW_CANCELLED", "open"]),
        (OverlapPolicy.TERMINATE_OTHER, ["WORKFLOW_CANCELLED", "open"]),
    ],
)
def test_a_run_that_is_due_while_another_is_open(
    world: ServiceWorld, policy: OverlapPolicy, types: list[str]
) -> None:
    scheduled(world, "works", overlap_policy=policy)
    to_next_hour(world)
    to_next_hour(world)
    assert [_end(world, execution) for execution in started(world)] == types


def test_a_buffered_run_starts_as_soon_as_the_other_has_ended(world: ServiceWorld) -> None:
    scheduled(world, "works", overlap_policy=OverlapPolicy.BUFFER_ONE)
    to_next_hour(world)
    to_next_hour(world)
    [first] = started(world)
    finish(world, first)
    world.settle()
    assert len(started(world)) == 2


def test_a_buffered_run_is_not_stranded_by_an_end_that_comes_between_the_look_and_the_decision(
    world: ServiceWorld,
) -> None:
    schedule = scheduled(world, "works", overlap_policy=OverlapPolicy.BUFFER_ONE)
    to_next_hour(world)
    [first] = started(world)
    world.mail.control.clear()
    world.clock.advance(HOUR)
    world.seam.before("directory.put", lambda: finish(world, first))
    tick(world, schedule)
    assert len(started(world)) == 2


def test_a_run_that_went_on_as_another_is_open_until_that_ends(world: ServiceWorld) -> None:
    async def continues(driver: Driver, input: JsonValue) -> JsonValue:
        if input == "in":
            await driver.continue_as("again")
        return await work(driver)

    world.code.deployed["continues"] = continues
    scheduled(world, "continues", overlap_policy=OverlapPolicy.BUFFER_ONE)
    to_next_hour(world)
    [first, successor] = started(world)
    assert successor == f"{first}.n1"
    to_next_hour(world)
    assert started(world) == [first, successor]
    finish(world, successor)
    world.settle()
    assert len(started(world)) > 2


# --- missed runs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (MissedRunPolicy.SKIP, {Outcome.MISSED: 3}),
        (MissedRunPolicy.RUN_ONCE, {Outcome.STARTED: 1, Outcome.MISSED: 2}),
        (MissedRunPolicy.RUN_ALL, {Outcome.STARTED: 3}),
    ],
)
def test_after_an_outage_missed_runs_are_dealt_with_by_their_policy(
    world: ServiceWorld, policy: MissedRunPolicy, expected: dict[Outcome, int]
) -> None:
    scheduled(world, missed_run_policy=policy, overlap_policy=OverlapPolicy.ALLOW)
    world.mail.clear()
    world.clock.advance(3 * HOUR + 10 * MINUTE)
    world.restart()
    sweep.run(world.services)
    world.settle()
    found = outcomes(world)
    assert {outcome: found.count(outcome) for outcome in set(found)} == expected
    assert len(started(world)) == expected.get(Outcome.STARTED, 0)
    to_next_hour(world)
    assert outcomes(world)[0] is Outcome.STARTED


# --- crashes and others -----------------------------------------------------------------------------


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_whatever_a_look_is_doing_when_it_dies_each_run_starts_once(policy: OverlapPolicy) -> None:
    expected = _play(policy, lambda _world: None)
    deaths = 0
    for at in range(200):
        died = _Once(at)

        def die_there(world: ServiceWorld, died: _Once = died) -> None:
            world.seam.gate = lambda _: kill() if died.is_now() else None

        assert _play(policy, die_there) == expected, f"died at operation {at}"
        if not died.happened:
            break
        deaths += 1
    assert deaths > 5


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_whoever_else_looks_at_the_same_time_each_run_starts_once(policy: OverlapPolicy) -> None:
    expected = _play(policy, lambda _world: None)
    for at in range(200):
        other = _Once(at)

        def look_there(world: ServiceWorld, other: _Once = other) -> None:
            world.seam.gate = lambda _: _look(world) if other.is_now() else None

        assert _play(policy, look_there) == expected, f"another looked at operation {at}"
        if not other.happened:
            return
    raise AssertionError("the look never ended")


class _Once:
    """Says yes at one operation, counted from 0."""

    def __init__(self, at: int) -> None:
        self._left = at
        self.happened = False

    def is_now(self) -> bool:
        self._left -= 1
        if self._left == -1:
            self.happened = True
            return True
        return False


def _play(policy: OverlapPolicy, disturb: Callable[[ServiceWorld], None]) -> tuple[list[str], list[Outcome]]:
    """Two runs, the second of which meets the first; the look at the second is disturbed. What there is then."""
    world = ServiceWorld()
    world.code.deployed["works"] = works
    world.clock.advance(-world.clock.now_ms() % HOUR + MINUTE)
    schedule = scheduled(world, "works", overlap_policy=policy)
    to_next_hour(world)
    world.clock.advance(HOUR)
    disturb(world)
    try:
        tick(world, schedule)
    except Killed:
        world.restart()
    world.seam.gate = lambda _: None
    world.mail.clear()
    sweep.run(world.services)
    world.settle()
    assert [due.schedule_id for due in _timers(world)] == ["s"]
    return [f"{execution} {_end(world, execution)}" for execution in started(world)], outcomes(world)


def _look(world: ServiceWorld) -> None:
    for due in schedule_index.every(world.services.directory):
        schedule_ticks.tick(world.services, due)


def test_a_schedule_whose_creation_died_half_way_is_forgotten_or_runs(world: ServiceWorld) -> None:
    world.seam.before("directory.put", nothing, kill)
    with pytest.raises(Killed):
        scheduled(world)
    world.restart()
    sweep.run(world.services)
    world.settle()
    assert len(list(schedule_index.every(world.services.directory))) == 1  # it may be about to be written
    world.jump(HOUR + 1)
    sweep.run(world.services)
    world.settle()
    assert list(schedule_index.every(world.services.directory)) == []
    world.seam.before("control.send", kill)
    with pytest.raises(Killed):
        scheduled(world)
    world.restart()
    sweep.run(world.services)
    world.settle()
    to_next_hour(world)
    assert len(started(world)) == 1


def test_a_store_that_is_away_leaves_the_run_to_the_next_look(world: ServiceWorld) -> None:
    schedule = scheduled(world)
    world.clock.advance(HOUR)
    world.seam.before("log.put", unavailable, unavailable, unavailable, unavailable)
    with pytest.raises(StoreUnavailable):
        tick(world, schedule)
    tick(world, schedule)
    assert len(started(world)) == 1


def test_looking_at_it_at_any_time_changes_nothing(world: ServiceWorld) -> None:
    schedule = scheduled(world)
    to_next_hour(world)
    before = schedules.get(world.services, ORG, "s")
    for _ in range(5):
        tick(world, schedule)
        sweep.run(world.services)
        world.settle()
    assert schedules.get(world.services, ORG, "s") == before
    assert len(started(world)) == 1
    assert len(_timers(world)) == 1


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_however_many_messages_there_are_at_one_moment_there_is_one_for_the_next(
    world: ServiceWorld, policy: OverlapPolicy
) -> None:
    scheduled(world, overlap_policy=policy)
    for _ in range(5):
        sweep.run(world.services)
        [timer] = [e for e in world.mail.control if isinstance(e.message, ScheduleDue) and e.message.for_ms > 0]
        world.mail.control += [Envelope(timer.message, timer.visible_at_ms) for _ in range(3)]
        to_next_hour(world)
        assert len(_timers(world)) == 1


def test_a_message_that_comes_too_early_is_sent_again(world: ServiceWorld) -> None:
    scheduled(world)
    [early] = [e for e in world.mail.control if isinstance(e.message, ScheduleDue)]
    early.visible_at_ms = world.clock.now_ms()
    world.settle()
    to_next_hour(world)
    assert len(started(world)) == 1


# --- triggers ---------------------------------------------------------------------------------------


def test_a_triggered_run_starts_at_once_and_moves_nothing(world: ServiceWorld) -> None:
    schedule = scheduled(world)
    triggered = schedules.trigger(world.services, ORG, "s")
    assert (triggered.outcome, [triggered.workflow_execution_id]) == (TriggerOutcome.STARTED, started(world))
    assert schedules.get(world.services, ORG, "s").state.next_at_ms == schedule.state.next_at_ms
    [past] = schedules.runs(world.services, ORG, "s").runs
    assert past.run.is_triggered


def test_repeating_a_trigger_starts_nothing_more(world: ServiceWorld) -> None:
    scheduled(world, overlap_policy=OverlapPolicy.ALLOW)
    first = schedules.trigger(world.services, ORG, "s", request_id="r1")
    assert schedules.trigger(world.services, ORG, "s", request_id="r1") == first
    assert schedules.trigger(world.services, ORG, "s", request_id="r2") != first
    assert len(started(world)) == 2


def test_a_trigger_keeps_to_the_overlap_policy(world: ServiceWorld) -> None:
    scheduled(world, "works", overlap_policy=OverlapPolicy.BUFFER_ONE)
    to_next_hour(world)
    [running] = started(world)
    waiting = schedules.trigger(world.services, ORG, "s", request_id="r1")
    assert waiting.outcome is TriggerOutcome.WAITING
    assert schedules.trigger(world.services, ORG, "s", request_id="r1") == waiting
    assert schedules.trigger(world.services, ORG, "s").outcome is TriggerOutcome.SKIPPED
    finish(world, running)
    world.settle()
    assert waiting.workflow_execution_id in started(world)


def test_a_trigger_that_died_half_way_is_carried_out_by_the_next_look(world: ServiceWorld) -> None:
    schedule = scheduled(world)
    world.seam.before("log.put", kill)
    with pytest.raises(Killed):
        schedules.trigger(world.services, ORG, "s", request_id="r1")
    world.restart()
    tick(world, schedule)
    assert len(started(world)) == 1
    assert schedules.trigger(world.services, ORG, "s", request_id="r1").workflow_execution_id == started(world)[0]


def test_a_schedule_that_others_change_all_the_time_is_busy(world: ServiceWorld) -> None:
    scheduled(world)

    def touch() -> None:
        rows = world.disk.items[f"{ORG}#schedules"]
        text, version = rows["s"]
        rows["s"] = (text, version + 1)

    world.seam.before("directory.put", *[touch] * 20)
    with pytest.raises(Unavailable):
        schedules.pause(world.services, ORG, "s")


def _timers(world: ServiceWorld) -> list[ScheduleDue]:
    return [e.message for e in world.mail.control if isinstance(e.message, ScheduleDue)]


def _end(world: ServiceWorld, execution: str) -> str:
    last = world.types(execution).split()[-1]
    return last if last in {"WORKFLOW_COMPLETED", "WORKFLOW_CANCELLED", "WORKFLOW_FAILED"} else "open"


def finish(world: ServiceWorld, execution: str) -> None:
    """End an execution; nobody is told yet."""
    cancel.cancel(world.services, ORG, execution, force=True)
