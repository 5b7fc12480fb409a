"""What a schedule decides, for each overlap policy and each policy about missed runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowstrand.engine.schedule import decide
from flowstrand.engine.schedule.policy import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule.state import Ending, Outcome, Run, ScheduleState, ScheduleStatus, uid_of
from flowstrand.engine.schedule.timing import Timing
from flowstrand.engine.schema import EpochMs, from_json, to_json

MINUTE, HOUR = 60_000, 3_600_000
STARTED, SKIPPED, MISSED = Outcome.STARTED, Outcome.SKIPPED, Outcome.MISSED


def hourly(
    overlap: OverlapPolicy = OverlapPolicy.SKIP,
    missed: MissedRunPolicy = MissedRunPolicy.RUN_ONCE,
    *,
    limit: int = 10,
) -> ScheduleState:
    """Due at every full hour, from the first on."""
    return ScheduleState(
        uid="0" * 12,
        timing=Timing(cron="0 * * * *"),
        overlap_policy=overlap,
        missed_run_policy=missed,
        catch_up_limit=limit,
        grace_ms=5 * MINUTE,
        status=ScheduleStatus.ACTIVE,
        created_at_ms=EpochMs(0),
        next_at_ms=EpochMs(HOUR),
    )


def run(hour: int) -> Run:
    return Run(name=str(hour * HOUR), at_ms=EpochMs(hour * HOUR))


def decisions(state: ScheduleState) -> list[tuple[int, Outcome]]:
    """The hour of each run, and what becomes of it."""
    return [(one.run.at_ms // HOUR, one.outcome) for one in state.decided]


def after(hour: int, state: ScheduleState, *, is_running: bool) -> ScheduleState:
    """A minute past the hour, with everything before it carried out."""
    return decide.advance(decide.settle(state), hour * HOUR + MINUTE, is_running=is_running)


def test_before_its_moment_nothing_is_decided() -> None:
    state = hourly()
    assert decide.advance(state, HOUR - 1, is_running=False) is state


def test_at_its_moment_a_run_starts_and_the_next_moment_counts_from_the_schedule_and_not_from_now() -> None:
    state = after(1, hourly(), is_running=False)
    assert decisions(state) == [(1, STARTED)]
    assert (state.last_run, state.next_at_ms) == (run(1), 2 * HOUR)


@pytest.mark.parametrize(
    ("policy", "decided", "waiting", "ending"),
    [
        (OverlapPolicy.ALLOW, [(2, STARTED)], None, None),
        (OverlapPolicy.SKIP, [(2, SKIPPED)], None, None),
        (OverlapPolicy.BUFFER_ONE, [], run(2), None),
        (OverlapPolicy.CANCEL_OTHER, [], run(2), False),
        (OverlapPolicy.TERMINATE_OTHER, [(2, STARTED)], None, True),
    ],
)
def test_a_run_that_meets_an_open_one(
    policy: OverlapPolicy, decided: list[tuple[int, Outcome]], waiting: Run | None, ending: bool | None
) -> None:
    state = after(2, after(1, hourly(policy), is_running=False), is_running=True)
    assert (decisions(state), state.waiting) == (decided, waiting)
    expected = None if ending is None else Ending(run=run(1).name, for_run=run(2).name, is_forced=ending)
    assert state.ending == expected


@pytest.mark.parametrize("policy", OverlapPolicy)
def test_a_run_that_meets_no_open_one_starts_whatever_the_policy(policy: OverlapPolicy) -> None:
    state = after(2, after(1, hourly(policy), is_running=False), is_running=False)
    assert (decisions(state), state.waiting, state.ending) == ([(2, STARTED)], None, None)


def test_a_buffered_run_starts_when_the_other_has_ended_and_further_ones_are_skipped_until_then() -> None:
    state = after(2, after(1, hourly(OverlapPolicy.BUFFER_ONE), is_running=False), is_running=True)
    state = after(3, state, is_running=True)
    assert (decisions(state), state.waiting) == ([(3, SKIPPED)], run(2))
    assert decide.depends_on_last_run(decide.settle(state), 3 * HOUR + 2 * MINUTE)
    state = after(3, state, is_running=False)
    assert (decisions(state), state.waiting, state.last_run) == ([(2, STARTED)], None, run(2))


def test_a_run_that_waits_for_a_cancellation_gives_way_to_a_newer_one() -> None:
    state = after(2, after(1, hourly(OverlapPolicy.CANCEL_OTHER), is_running=False), is_running=True)
    waiting = decide.settle(state)
    assert decide.advance(waiting, 2 * HOUR + 2 * MINUTE, is_running=True) is waiting
    state = after(3, state, is_running=True)
    assert (decisions(state), state.waiting) == ([(2, SKIPPED)], run(3))
    state = after(3, state, is_running=False)
    assert (decisions(state), state.ending) == ([(3, STARTED)], None)


LATE = 6 * HOUR + 10 * MINUTE
"""Six moments have passed, the newest of them ten minutes ago."""


@pytest.mark.parametrize(
    ("policy", "started", "missed"),
    [
        (MissedRunPolicy.SKIP, [], [3, 4, 5, 6]),
        (MissedRunPolicy.RUN_ONCE, [6], [3, 4, 5]),
        (MissedRunPolicy.RUN_ALL, [3, 4, 5, 6], []),
    ],
)
def test_of_missed_runs_no_more_are_looked_at_than_the_limit(
    policy: MissedRunPolicy, started: list[int], missed: list[int]
) -> None:
    state = decide.advance(hourly(OverlapPolicy.ALLOW, policy, limit=4), LATE, is_running=False)
    assert [hour for hour, outcome in decisions(state) if outcome is STARTED] == started
    assert [hour for hour, outcome in decisions(state) if outcome is MISSED] == missed
    assert state.next_at_ms == 7 * HOUR


@pytest.mark.parametrize("policy", MissedRunPolicy)
def test_a_run_within_its_grace_is_not_missed(policy: MissedRunPolicy) -> None:
    state = decide.advance(hourly(missed=policy), HOUR + 5 * MINUTE, is_running=False)
    assert decisions(state) == [(1, STARTED)]
    late = decide.advance(hourly(missed=policy), HOUR + 5 * MINUTE + 1, is_running=False)
    assert decisions(late) == [(1, MISSED if policy is MissedRunPolicy.SKIP else STARTED)]


def test_what_is_made_up_for_keeps_to_the_overlap_policy() -> None:
    state = decide.advance(hourly(missed=MissedRunPolicy.RUN_ALL), LATE, is_running=False)
    assert decisions(state) == [(2, SKIPPED), (3, SKIPPED), (4, SKIPPED), (5, SKIPPED), (6, SKIPPED), (1, STARTED)]


def test_a_moment_that_was_once_is_the_last() -> None:
    once = replace(hourly(), timing=Timing(at_ms=EpochMs(HOUR)))
    state = decide.advance(once, HOUR, is_running=False)
    assert (decisions(state), state.status, state.next_at_ms) == ([(1, STARTED)], ScheduleStatus.COMPLETED, None)
    settled = decide.settle(state)
    assert decide.advance(settled, 100 * HOUR, is_running=False) is settled


def test_a_paused_schedule_starts_nothing_and_goes_on_at_the_first_moment_after_it_is_resumed() -> None:
    paused = decide.pause(hourly())
    assert decide.advance(paused, LATE, is_running=False) is paused
    assert decide.pause(paused) is paused
    resumed = decide.resume(paused, LATE)
    assert (resumed.status, resumed.next_at_ms) == (ScheduleStatus.ACTIVE, 7 * HOUR)
    assert decide.resume(resumed, LATE) is resumed


def test_a_triggered_run_starts_though_the_schedule_is_paused() -> None:
    asked = Run(name="t1", at_ms=EpochMs(5), is_triggered=True)
    state = decide.trigger(decide.pause(hourly()), asked, is_running=False)
    assert [one.run for one in state.decided] == [asked]
    assert (state.status, state.next_at_ms) == (ScheduleStatus.PAUSED, HOUR)


def test_a_deleted_schedule_decides_nothing() -> None:
    deleted = decide.delete(after(1, hourly(), is_running=False))
    assert deleted.is_settled
    assert decide.advance(deleted, LATE, is_running=False) is deleted


def test_a_state_is_the_same_after_it_was_stored() -> None:
    state = after(2, after(1, hourly(OverlapPolicy.CANCEL_OTHER), is_running=False), is_running=True)
    assert from_json(ScheduleState, to_json(state)) == state


def test_an_execution_tells_which_schedule_started_it() -> None:
    uid = "0" * 23
    assert uid_of(f"a-b-{uid}-123.n2", "a-b") == uid
    assert uid_of(f"a-b-{uid}-123", "a") is None
    assert uid_of("01JD5X", "a") is None
    assert uid_of(f"a-{uid}", "a") is None
