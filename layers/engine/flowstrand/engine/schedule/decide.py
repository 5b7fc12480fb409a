"""What a schedule does: decisions as a new state, which the caller writes and then carries out.

Each function takes a settled state and returns the next one; the same state again means that there is nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from flowstrand.engine.schedule.policy import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule.state import Decided, Ending, Outcome, Run, ScheduleState, ScheduleStatus
from flowstrand.engine.schedule.timing import newest, next_after
from flowstrand.engine.schema import EpochMs

_MINUTE_MS = 60_000


def is_due(state: ScheduleState, now_ms: int) -> bool:
    """Whether the moment of some run has come."""
    is_active = state.status is ScheduleStatus.ACTIVE
    return is_active and state.next_at_ms is not None and state.next_at_ms <= now_ms


def depends_on_last_run(state: ScheduleState, now_ms: int) -> bool:
    """Whether `advance` would ask if the last run is open."""
    if state.last_run is None or state.overlap_policy is OverlapPolicy.ALLOW:
        return False
    return state.waiting is not None or is_due(state, now_ms)


def advance(state: ScheduleState, now_ms: int, *, is_running: bool) -> ScheduleState:
    """Decide what becomes of every run that is due at `now_ms`, and of the one that waits.

    Args:
        is_running: whether the last run is open.
    """
    if state.status in {ScheduleStatus.PAUSED, ScheduleStatus.DELETED}:
        return state
    if not is_due(state, now_ms):
        return _admit(state, (), is_running=is_running)
    missed, wanted = _due(state, now_ms)
    admitted = _admit(state, wanted, is_running=is_running)
    next_at_ms = next_after(state.timing, now_ms)
    return replace(
        admitted,
        decided=(*_as(Outcome.MISSED, missed), *admitted.decided),
        next_at_ms=next_at_ms,
        status=ScheduleStatus.COMPLETED if next_at_ms is None else state.status,
    )


def trigger(state: ScheduleState, run: Run, *, is_running: bool) -> ScheduleState:
    """Treat `run` as due, whatever the schedule's status."""
    return _admit(state, (run,), is_running=is_running)


def pause(state: ScheduleState) -> ScheduleState:
    """Start nothing by itself; a completed schedule stays that."""
    if state.status is not ScheduleStatus.ACTIVE:
        return state
    return replace(state, status=ScheduleStatus.PAUSED)


def resume(state: ScheduleState, now_ms: int) -> ScheduleState:
    """Go on from `now_ms`: what was due meanwhile was not wanted, and is not missed."""
    if state.status is not ScheduleStatus.PAUSED:
        return state
    next_at_ms = next_after(state.timing, now_ms)
    status = ScheduleStatus.COMPLETED if next_at_ms is None else ScheduleStatus.ACTIVE
    return replace(state, status=status, next_at_ms=next_at_ms)


def update(state: ScheduleState, now_ms: int) -> ScheduleState:
    """Go on from `now_ms` by the timing and the policies that `state` has been given.

    What was due by the timing before has been decided: it is neither forgotten nor, should the clock that decided it be ahead of this
    one, decided again. A paused schedule stays paused, and one that was completed is active again.
    """
    last_ms = now_ms if state.last_run is None else max(now_ms, state.last_run.at_ms)
    next_at_ms = next_after(state.timing, last_ms)
    status = state.status
    if status is not ScheduleStatus.PAUSED:
        status = ScheduleStatus.COMPLETED if next_at_ms is None else ScheduleStatus.ACTIVE
    return replace(state, revision=state.revision + 1, status=status, next_at_ms=next_at_ms)


def delete(state: ScheduleState) -> ScheduleState:
    """Decide nothing any more."""
    gone = replace(state, status=ScheduleStatus.DELETED, next_at_ms=None, waiting=None)
    return settle(gone)


def settle(state: ScheduleState) -> ScheduleState:
    """Everything that was decided has been carried out."""
    return replace(state, decided=(), ending=None)


def _due(state: ScheduleState, now_ms: int) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """The runs that are missed for good, as far as they are looked at, and those that are wanted; oldest first."""
    before_ms, grace_ms = (state.next_at_ms or now_ms) - 1, state.grace_ms
    late_ms = now_ms - grace_ms - 1
    late: tuple[Run, ...] = ()
    if before_ms < late_ms:
        late = _runs(newest(state.timing, before_ms, late_ms, state.catch_up_limit))
    most = grace_ms // _MINUTE_MS + 1
    on_time = _runs(newest(state.timing, max(before_ms, late_ms), now_ms, most))
    match state.missed_run_policy:
        case MissedRunPolicy.SKIP:
            return late, on_time
        case MissedRunPolicy.RUN_ONCE:
            return late[:-1], (*late[-1:], *on_time)
        case MissedRunPolicy.RUN_ALL:
            return (), (*late, *on_time)
        case other:
            assert_never(other)


def _runs(moments: Sequence[EpochMs]) -> tuple[Run, ...]:
    return tuple(Run(name=str(at_ms), at_ms=at_ms) for at_ms in moments)


def _admit(state: ScheduleState, runs: Sequence[Run], *, is_running: bool) -> ScheduleState:
    """Decide of `runs`, and of the one that has waited, by the overlap policy."""
    queue = [*([state.waiting] if state.waiting else []), *runs]
    if not queue:
        return state
    starting, waiting = _choose(state.overlap_policy, queue, is_running=is_running)
    if not starting and not runs:
        return state
    left = [run for run in queue if run not in starting and run != waiting]
    return replace(
        state,
        last_run=starting[-1] if starting else state.last_run,
        waiting=waiting,
        decided=(*_as(Outcome.SKIPPED, left), *_as(Outcome.STARTED, starting)),
        ending=_ending(state, queue[-1]) if is_running else None,
    )


def _choose(policy: OverlapPolicy, queue: list[Run], *, is_running: bool) -> tuple[list[Run], Run | None]:
    """Which of the runs start now, and which one waits."""
    match policy:
        case OverlapPolicy.ALLOW:
            return queue, None
        case OverlapPolicy.SKIP:
            return ([] if is_running else queue[:1]), None
        case OverlapPolicy.BUFFER_ONE:
            starting = [] if is_running else queue[:1]
            return starting, next(iter(queue[len(starting) :]), None)
        case OverlapPolicy.CANCEL_OTHER:
            return ([], queue[-1]) if is_running else (queue[-1:], None)
        case OverlapPolicy.TERMINATE_OTHER:
            return queue[-1:], None
        case other:
            assert_never(other)


def _ending(state: ScheduleState, newer: Run) -> Ending | None:
    policies = {OverlapPolicy.CANCEL_OTHER, OverlapPolicy.TERMINATE_OTHER}
    if state.last_run is None or state.overlap_policy not in policies:
        return None
    is_forced = state.overlap_policy is OverlapPolicy.TERMINATE_OTHER
    return Ending(run=state.last_run.name, for_run=newer.name, is_forced=is_forced)


def _as(outcome: Outcome, runs: Sequence[Run]) -> tuple[Decided, ...]:
    return tuple(Decided(run=run, outcome=outcome) for run in runs)
