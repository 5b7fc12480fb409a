"""Changing a schedule in place: what it does from then on is new, and no run is lost, doubled or stranded by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowstrand.engine.events import WorkflowStarted
from flowstrand.engine.schedule.policy import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule.state import Outcome, ScheduleStatus
from flowstrand.engine.schedule.timing import Timing
from flowstrand.engine.schema import EpochMs
from flowstrand.errors import Conflict, InvalidInput, NotFound, Unavailable
from flowstrand.service import schedule_index, schedule_ticks, schedules, sweep
from flowstrand.service.executions import StartRequest
from flowstrand.service.schedule_rows import Schedule
from flowstrand.service.schedules import ScheduleRequest
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, kill, unavailable
from tests.unit.service.test_schedules import (
    HOUR,
    MINUTE,
    ends,
    finish,
    outcomes,
    scheduled,
    started,
    to_next_hour,
    works,
)

HOURLY, HALF_PAST, DAILY = Timing(cron="0 * * * *"), Timing(cron="30 * * * *"), Timing(cron="0 0 * * *")


@pytest.fixture
def world() -> ServiceWorld:
    return new_world()


def new_world() -> ServiceWorld:
    made = ServiceWorld()
    made.code.deployed |= {"ends": ends, "works": works}
    made.clock.advance(-made.clock.now_ms() % HOUR + MINUTE)  # a minute past an hour
    return made


def wanted(
    timing: Timing = HALF_PAST, *, kind: str = "ends", input: str = "new", **options: Any
) -> ScheduleRequest:
    return ScheduleRequest(timing=timing, start=StartRequest(kind=kind, input=input), **options)


def update(world: ServiceWorld, request: ScheduleRequest, *, revision: int | None = None) -> Schedule:
    return schedules.update(world.services, ORG, "s", request, revision=revision)


def inputs(world: ServiceWorld) -> list[object]:
    """What its runs were given, the newest first; None of one that did not start."""
    ids = [past.workflow_execution_id for past in schedules.runs(world.services, ORG, "s").runs]
    return [None if id is None else _input(world, id) for id in ids]


def _input(world: ServiceWorld, execution: str) -> object:
    started = world.events(execution)[0].data
    assert isinstance(started, WorkflowStarted)
    return started.input


def test_what_it_does_is_new_and_what_it_is_and_has_done_stays(world: ServiceWorld) -> None:
    before = scheduled(world)
    to_next_hour(world)
    updated = update(world, wanted(overlap_policy=OverlapPolicy.ALLOW))
    assert (updated.state.uid, updated.state.created_at_ms) == (before.state.uid, before.state.created_at_ms)
    assert (before.state.revision, updated.state.revision) == (1, 2)
    assert updated.state.next_at_ms == world.clock.now_ms() + HOUR // 2
    world.settle()
    world.jump(HOUR)
    assert inputs(world) == ["new", "in"]
    assert outcomes(world) == [Outcome.STARTED] * 2
    assert updated.request.metadata is None, "what is not said is not what was said before"


def test_a_paused_schedule_stays_paused_and_goes_on_by_the_new_timing(world: ServiceWorld) -> None:
    scheduled(world)
    schedules.pause(world.services, ORG, "s")
    assert update(world, wanted()).state.status is ScheduleStatus.PAUSED
    world.settle()
    world.jump(2 * HOUR)
    assert started(world) == []
    schedules.resume(world.services, ORG, "s")
    world.settle()
    world.jump(HOUR)
    assert inputs(world) == ["new"]


def test_a_completed_schedule_is_active_again(world: ServiceWorld) -> None:
    scheduled(world, timing=Timing(at_ms=EpochMs(world.clock.now_ms() + MINUTE)))
    world.jump(MINUTE)
    assert schedules.get(world.services, ORG, "s").state.status is ScheduleStatus.COMPLETED
    update(world, wanted(Timing(at_ms=EpochMs(world.clock.now_ms() + HOUR))))
    world.settle()
    world.jump(HOUR)
    assert inputs(world) == ["new", "in"]
    assert schedules.get(world.services, ORG, "s").state.status is ScheduleStatus.COMPLETED


def test_what_cannot_be_is_refused_and_nothing_is_changed(world: ServiceWorld) -> None:
    scheduled(world)
    before = schedules.get(world.services, ORG, "s")
    with pytest.raises(InvalidInput):
        update(world, wanted(Timing(at_ms=EpochMs(1))))
    with pytest.raises(NotFound) as refused:
        update(world, wanted(kind="unknown"))
    assert refused.value.code == "UNKNOWN_WORKFLOW_KIND"
    with pytest.raises(NotFound) as refused:
        schedules.update(world.services, ORG, "t", wanted())
    assert refused.value.code == "SCHEDULE_NOT_FOUND"
    assert schedules.get(world.services, ORG, "s") == before


def test_a_deleted_schedule_is_not_there_to_be_changed(world: ServiceWorld) -> None:
    scheduled(world)
    schedules.delete(world.services, ORG, "s")
    with pytest.raises(NotFound):
        update(world, wanted())


def test_somebody_elses_change_is_not_written_over_by_who_names_the_revision(world: ServiceWorld) -> None:
    scheduled(world)
    assert update(world, wanted(), revision=1).state.revision == 2
    with pytest.raises(Conflict) as refused:
        update(world, wanted(DAILY), revision=1)
    assert refused.value.code == "SCHEDULE_CHANGED"
    assert update(world, wanted(DAILY), revision=2).state.revision == 3


def test_its_runs_pauses_and_timers_are_no_revisions(world: ServiceWorld) -> None:
    scheduled(world)
    to_next_hour(world)
    schedules.pause(world.services, ORG, "s")
    schedules.resume(world.services, ORG, "s")
    schedules.trigger(world.services, ORG, "s")
    assert update(world, wanted(), revision=1).state.revision == 2


def test_repeating_a_change_whose_answer_was_lost_changes_nothing(world: ServiceWorld) -> None:
    scheduled(world)
    first = update(world, wanted(), revision=1)
    assert update(world, wanted(), revision=1) == first
    assert update(world, wanted()) == first


def test_one_of_two_who_change_the_same_revision_at_once_is_told(world: ServiceWorld) -> None:
    scheduled(world)
    world.seam.before("directory.put", lambda: update(world, wanted(DAILY), revision=1))
    with pytest.raises(Conflict):
        update(world, wanted(), revision=1)
    assert schedules.get(world.services, ORG, "s").state.timing == DAILY


def test_a_schedule_that_others_change_all_the_time_is_busy(world: ServiceWorld) -> None:
    scheduled(world)

    def touch() -> None:
        rows = world.disk.items[f"{ORG}#schedules"]
        text, version = rows["s"]
        rows["s"] = (text, version + 1)

    world.seam.before("directory.put", *[touch] * 20)
    with pytest.raises(Unavailable):
        update(world, wanted())


# --- runs that are due, or wait ----------------------------------------------------------------------


def test_a_run_that_is_due_when_the_change_comes_starts_as_it_was_to(world: ServiceWorld) -> None:
    scheduled(world)
    world.mail.control.clear()
    to_next_hour(world, late_ms=500)
    update(world, wanted())
    assert inputs(world) == ["in"]
    world.settle()
    world.jump(HOUR)
    assert inputs(world) == ["new", "in"]


def test_a_run_that_was_decided_and_not_begun_starts_as_it_was_to(world: ServiceWorld) -> None:
    scheduled(world)
    world.mail.control.clear()
    to_next_hour(world, late_ms=500)
    world.seam.before("log.put", kill)
    with pytest.raises(Killed):
        _look(world)
    world.restart()
    update(world, wanted())
    assert inputs(world) == ["in"]


def test_runs_that_were_missed_are_dealt_with_by_the_policy_of_their_time(world: ServiceWorld) -> None:
    scheduled(world, missed_run_policy=MissedRunPolicy.RUN_ALL, overlap_policy=OverlapPolicy.ALLOW)
    world.mail.control.clear()
    world.clock.advance(3 * HOUR + HOUR // 2)
    update(world, wanted(DAILY, missed_run_policy=MissedRunPolicy.SKIP))
    assert inputs(world) == ["in"] * 3


def test_a_moment_of_both_timings_has_one_run(world: ServiceWorld) -> None:
    scheduled(world)
    hour = to_next_hour(world)
    update(world, wanted(Timing(cron="*/30 * * * *")))
    world.settle()
    assert [past.run.at_ms for past in schedules.runs(world.services, ORG, "s").runs] == [hour]


def test_a_moment_that_a_clock_ahead_has_decided_is_not_decided_again(world: ServiceWorld) -> None:
    scheduled(world, overlap_policy=OverlapPolicy.ALLOW)
    hour = to_next_hour(world)
    world.clock.advance(-200)
    assert update(world, wanted(Timing(cron="*/30 * * * *"))).state.next_at_ms == hour + HOUR // 2


def test_a_run_that_waits_goes_on_waiting_and_starts_with_what_there_is_then(world: ServiceWorld) -> None:
    scheduled(world, "works", overlap_policy=OverlapPolicy.BUFFER_ONE)
    to_next_hour(world)
    to_next_hour(world)
    [first] = started(world)
    update(world, wanted(DAILY))
    world.settle()
    assert started(world) == [first]
    finish(world, first)
    world.settle()
    assert inputs(world) == ["new", "in"]


def test_a_run_that_waits_ends_the_other_where_that_is_the_policy_now(world: ServiceWorld) -> None:
    scheduled(world, "works", overlap_policy=OverlapPolicy.BUFFER_ONE)
    to_next_hour(world)
    to_next_hour(world)
    [first] = started(world)
    update(world, wanted(DAILY, overlap_policy=OverlapPolicy.TERMINATE_OTHER))
    world.settle()
    assert world.types(first).split()[-1] == "WORKFLOW_CANCELLED"
    assert len(started(world)) == 2


def test_a_timer_of_before_starts_nothing_and_sets_no_second_one(world: ServiceWorld) -> None:
    scheduled(world)
    update(world, wanted(DAILY))
    world.settle()
    to_next_hour(world)
    assert started(world) == []
    update(world, wanted(HOURLY))
    world.settle()
    to_next_hour(world)
    assert len(started(world)) == 1


# --- crashes, and ticks at the same time --------------------------------------------------------------


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_wherever_in_a_tick_the_change_comes_each_moment_has_one_run(policy: OverlapPolicy) -> None:
    _play_each(policy, _change, changes_first=False)


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_wherever_in_a_change_a_tick_comes_each_moment_has_one_run(policy: OverlapPolicy) -> None:
    _play_each(policy, _look, changes_first=True)


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_wherever_a_change_dies_repeating_it_makes_it_whole_and_each_moment_has_one_run(
    policy: OverlapPolicy,
) -> None:
    _play_each(policy, lambda _world: kill(), changes_first=True)


def test_a_store_that_fails_leaves_it_to_be_repeated(world: ServiceWorld) -> None:
    scheduled(world)
    world.seam.after("directory.put", unavailable)
    with pytest.raises(Exception, match="away"):
        update(world, wanted(), revision=1)
    assert update(world, wanted(), revision=1).state.revision == 2


class _At:
    """Has something happen at one operation, counted from 0."""

    def __init__(self, at: int, act: Callable[[ServiceWorld], object]) -> None:
        self._left = at
        self._act = act

    @property
    def has_happened(self) -> bool:
        return self._left < 0

    def __call__(self, world: ServiceWorld) -> None:
        world.seam.gate = lambda _: self._count(world)

    def _count(self, world: ServiceWorld) -> None:
        self._left -= 1
        if self._left == -1:
            world.seam.gate = lambda _: None
            self._act(world)


def _play_each(policy: OverlapPolicy, act: Callable[[ServiceWorld], object], *, changes_first: bool) -> None:
    """`act` happens before every operation, one after the other, and makes no difference."""
    expected = _play(policy, lambda _world: None)
    for at in range(200):
        disturbance = _At(at, act)
        assert _play(policy, disturbance, changes_first=changes_first) == expected, at
        if not disturbance.has_happened:
            assert at > 5
            return
    raise AssertionError("it never ended")


def _change(world: ServiceWorld) -> None:
    update(world, wanted(kind="works", overlap_policy=OverlapPolicy.ALLOW))


def _look(world: ServiceWorld) -> None:
    for due in schedule_index.every(world.services.directory):
        schedule_ticks.tick(world.services, due)


def _play(
    policy: OverlapPolicy, disturb: Callable[[ServiceWorld], None], *, changes_first: bool = False
) -> tuple[list[object], ...]:
    """Two runs, the second of which meets the first when the schedule is changed; then one by what it is now. What there is then."""
    world = new_world()
    scheduled(world, "works", overlap_policy=policy)
    to_next_hour(world)
    world.mail.control.clear()
    to_next_hour(world, late_ms=500)
    disturb(world)
    try:
        if changes_first:
            _change(world)
        else:
            _look(world)
    except Killed:
        world.restart()
    world.seam.gate = lambda _: None
    _change(world)
    assert schedules.get(world.services, ORG, "s").state.revision == 2
    world.mail.clear()
    sweep.run(world.services)
    world.settle()
    world.jump(HOUR // 2)
    found = schedules.runs(world.services, ORG, "s").runs
    assert inputs(world)[0] == "new"
    return [(past.run.at_ms, past.outcome) for past in found], [*started(world)]
