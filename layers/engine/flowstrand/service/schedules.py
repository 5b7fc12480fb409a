"""What people do with schedules: create, look at, update, pause, resume, trigger and delete them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.ids import OrgId
from flowstrand.engine.schedule import decide
from flowstrand.engine.schedule.policy import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule.state import (
    Outcome,
    Run,
    ScheduleState,
    ScheduleStatus,
    execution_id,
    new_uid,
)
from flowstrand.engine.schedule.timing import Timing, next_after, require_valid
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.trace_context import TraceContext
from flowstrand.errors import Conflict, Unavailable
from flowstrand.log.port import LogKey
from flowstrand.service import executions, quotas, schedule_index, schedule_rows, schedule_runs, schedule_ticks
from flowstrand.service.container import Services
from flowstrand.service.executions import StartRequest
from flowstrand.service.schedule_rows import Schedule
from flowstrand.service.schedule_runs import RunPage

DEFAULT_GRACE_MS = 300_000
DEFAULT_CATCH_UP_LIMIT = 10

_TRIES = 20
_UID_BYTES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRequest:
    """What a caller asks for.

    Attributes:
        schedule_id: names it in its org; made here if None.
        start: what each run starts. `scheduleId` and `scheduledAt` are added to its metadata.
        grace_ms: how late a run may be before it counts as missed.
        catch_up_limit: how many missed runs are looked at, and so at most made up for.
    """

    timing: Timing
    start: StartRequest
    schedule_id: str | None = None
    overlap_policy: OverlapPolicy = OverlapPolicy.SKIP
    missed_run_policy: MissedRunPolicy = MissedRunPolicy.RUN_ONCE
    grace_ms: int = DEFAULT_GRACE_MS
    catch_up_limit: int = DEFAULT_CATCH_UP_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePage:
    """Schedules by id. `next_after` is the last id if there may be more, else None."""

    schedules: tuple[Schedule, ...]
    next_after: str | None


class TriggerOutcome(StrEnum):
    """What became of a run that was asked for."""

    STARTED = "STARTED"
    WAITING = "WAITING"
    """It starts when the run before it has ended."""
    SKIPPED = "SKIPPED"
    """The overlap policy does not let it start beside the one that is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggered:
    """What came of asking for a run. One that was skipped has no execution; one that waits will have this one."""

    outcome: TriggerOutcome
    workflow_execution_id: str | None


def create(services: Services, org: OrgId, request: ScheduleRequest) -> Schedule:
    """Create a schedule. Its first run is the first moment after now.

    Raises:
        InvalidInput: its timing is not valid, or no run would ever be due.
        NotFound: `UNKNOWN_WORKFLOW_KIND`.
        Conflict: `SCHEDULE_EXISTS`: its id is taken.
        PayloadTooLarge: the input is over the limit.
        UnprocessableInput: the input does not fit the workflow's schema.
        StoreUnavailable: it may or may not have been created.
    """
    now_ms = services.clock.now_ms()
    require_valid(request.timing, now_ms)
    executions.require_startable(services, org, request.start)
    uid = new_uid(now_ms, services.random_bytes(_UID_BYTES))
    schedule_id = request.schedule_id or uid
    before = schedule_rows.find(services, org, schedule_id)
    schedule = Schedule(
        org=org,
        schedule_id=schedule_id,
        state=_first_state(request, uid, now_ms),
        request=request.start,
        version=before.version if before else 0,
    )
    if before is not None and before.state.status is not ScheduleStatus.DELETED:
        raise _taken(schedule_id)
    schedule_index.add(services.directory, schedule.due)
    try:
        written = schedule_rows.write(services, schedule, schedule.state)
    except PreconditionFailed:
        raise _taken(schedule_id) from None
    services.control.send([schedule.due])
    return written


def get(services: Services, org: OrgId, schedule_id: str) -> Schedule:
    """The schedule as it stands.

    Raises:
        NotFound: `SCHEDULE_NOT_FOUND`: unknown, deleted, or another org's.
    """
    return schedule_rows.require(services, org, schedule_id)


def listed(services: Services, org: OrgId, *, after: str = "", limit: int = 50) -> SchedulePage:
    """Schedules with an id beyond `after`. A page may hold fewer than `limit`, and still not be the last."""
    found = schedule_rows.listed(services, org, after=after, limit=limit + 1)
    shown = tuple(one for one in found[:limit] if one.state.status is not ScheduleStatus.DELETED)
    return SchedulePage(schedules=shown, next_after=found[limit - 1].schedule_id if len(found) > limit else None)


def update(
    services: Services, org: OrgId, schedule_id: str, request: ScheduleRequest, *, revision: int | None = None
) -> Schedule:
    """Give the schedule another timing, other policies and another thing to start, all that `request` says and nothing of before.

    Its id, its runs so far, the one that waits and whether it is paused stay. What is due by now is decided first, as it was to be; the
    first run by `request` is the first moment after now.

    Args:
        request: its `schedule_id` counts for nothing.
        revision: the one that the schedule must have; None for any.

    Raises:
        NotFound: `SCHEDULE_NOT_FOUND`, or `UNKNOWN_WORKFLOW_KIND`.
        Conflict: `SCHEDULE_CHANGED`: it has another revision.
        InvalidInput: its timing is not valid, or no run would ever be due.
        PayloadTooLarge: the input is over the limit.
        UnprocessableInput: the input does not fit the workflow's schema.
        Unavailable: `BUSY`.
        StoreUnavailable: it may or may not have changed; repeating it is harmless.
    """
    schedule_rows.require(services, org, schedule_id)
    require_valid(request.timing, services.clock.now_ms())
    executions.require_startable(services, org, request.start)
    for _ in range(_TRIES):
        schedule = schedule_rows.require(services, org, schedule_id)
        wanted = _with_spec(schedule, request)
        _require_revision(schedule, revision, is_repeated=wanted == schedule)
        with suppress(PreconditionFailed):
            updated = schedule if wanted == schedule else _update(services, schedule, wanted)
            if updated is not None:
                services.control.send([updated.due])
                return updated
    raise _busy(schedule_id)


def pause(services: Services, org: OrgId, schedule_id: str) -> Schedule:
    """Start nothing by itself from now on. Raises what `resume` does."""
    return _change(services, org, schedule_id, decide.pause)


def resume(services: Services, org: OrgId, schedule_id: str) -> Schedule:
    """Go on with the first moment after now.

    Raises:
        NotFound: `SCHEDULE_NOT_FOUND`.
        Unavailable: `BUSY`: others change it all the time; try again.
        StoreUnavailable: it may or may not have changed; repeating it is harmless.
    """
    now_ms = services.clock.now_ms()
    resumed = _change(services, org, schedule_id, lambda state: decide.resume(state, now_ms))
    services.control.send([resumed.due])
    return resumed


def delete(services: Services, org: OrgId, schedule_id: str) -> None:
    """Forget the schedule. What it started goes on; a run that is being started may still begin. Raises as `resume`."""
    deleted = _change(services, org, schedule_id, decide.delete)
    services.control.send([deleted.due])


def trigger(
    services: Services,
    org: OrgId,
    schedule_id: str,
    *,
    request_id: str | None = None,
    trace: TraceContext | None = None,
) -> Triggered:
    """Have a run now, whatever the schedule's status; its overlap policy holds.

    Args:
        request_id: the caller's name for this request: repeating it starts nothing more.
        trace: whose trace the run belongs to.

    Raises:
        NotFound: `SCHEDULE_NOT_FOUND`, or `UNKNOWN_WORKFLOW_KIND`: its workflow is known no more.
        UnprocessableInput: the input does not fit the schema that its workflow has by now.
        QuotaExceeded: the org has started too much.
        Unavailable: `BUSY`.
        StoreUnavailable: repeat it, with its `request_id`.
    """
    now_ms = EpochMs(services.clock.now_ms())
    run = Run(name=_trigger_name(services, request_id), at_ms=now_ms, is_triggered=True, trace=trace)
    for _ in range(_TRIES):
        schedule = schedule_rows.require(services, org, schedule_id)
        if not schedule.state.is_settled:
            schedule_ticks.settle(services, schedule)
            continue
        known = _known(services, schedule, run)
        if known is not None:
            return known
        executions.require_startable(services, org, schedule.request)
        quotas.require_start(services, org)
        running = schedule_ticks.is_running(services, schedule)
        state = decide.trigger(schedule.state, run, is_running=running)
        try:
            written = schedule_rows.write(services, schedule, state)
        except PreconditionFailed:
            continue
        schedule_ticks.settle(services, written)
        services.control.send([schedule.due])  # the run that it waits for may have ended meanwhile
        return _outcome(written, run)
    raise _busy(schedule_id)


def runs(services: Services, org: OrgId, schedule_id: str, *, after: str = "", limit: int = 50) -> RunPage:
    """What became of its runs, from the newest on.

    Raises:
        NotFound: `SCHEDULE_NOT_FOUND`.
    """
    schedule = schedule_rows.require(services, org, schedule_id)
    return schedule_runs.page(services, schedule, after=after, limit=limit)


def _with_spec(schedule: Schedule, request: ScheduleRequest) -> Schedule:
    state = replace(
        schedule.state,
        timing=request.timing,
        overlap_policy=request.overlap_policy,
        missed_run_policy=request.missed_run_policy,
        catch_up_limit=request.catch_up_limit,
        grace_ms=request.grace_ms,
    )
    return replace(schedule, state=state, request=request.start)


def _update(services: Services, schedule: Schedule, wanted: Schedule) -> Schedule | None:
    """What was written; None where something had to be decided or carried out first.

    Raises:
        PreconditionFailed: somebody else has changed it.
    """
    now_ms = services.clock.now_ms()
    if not schedule.state.is_settled:
        schedule_ticks.settle(services, schedule)
        return None
    if decide.is_due(schedule.state, now_ms):
        schedule_ticks.decide_due(services, schedule)
        return None
    return schedule_rows.write(services, wanted, decide.update(wanted.state, now_ms))


def _require_revision(schedule: Schedule, revision: int | None, *, is_repeated: bool) -> None:
    """Where nothing is to be changed, whoever asks may have changed it, and lost the answer."""
    found = schedule.state.revision
    if revision is not None and revision != found and not (is_repeated and revision == found - 1):
        raise Conflict(
            f"schedule {schedule.schedule_id!r} has been changed: it has revision {found}, not {revision}",
            code="SCHEDULE_CHANGED",
        )


def _first_state(request: ScheduleRequest, uid: str, now_ms: int) -> ScheduleState:
    return ScheduleState(
        uid=uid,
        timing=request.timing,
        overlap_policy=request.overlap_policy,
        missed_run_policy=request.missed_run_policy,
        catch_up_limit=request.catch_up_limit,
        grace_ms=request.grace_ms,
        status=ScheduleStatus.ACTIVE,
        created_at_ms=EpochMs(now_ms),
        next_at_ms=next_after(request.timing, now_ms),
    )


def _change(
    services: Services, org: OrgId, schedule_id: str, change: Callable[[ScheduleState], ScheduleState]
) -> Schedule:
    for _ in range(_TRIES):
        schedule = schedule_rows.require(services, org, schedule_id)
        state = change(schedule.state)
        if state == schedule.state:
            return schedule
        try:
            return schedule_rows.write(services, schedule, state)
        except PreconditionFailed:
            continue
    raise _busy(schedule_id)


def _known(services: Services, schedule: Schedule, run: Run) -> Triggered | None:
    """What came of this run when it was asked for before, if it has not been skipped."""
    waiting = schedule.state.waiting
    key = LogKey(schedule.org, execution_id(schedule.schedule_id, schedule.state.uid, run.name))
    if waiting is not None and waiting.name == run.name:
        return Triggered(outcome=TriggerOutcome.WAITING, workflow_execution_id=key.execution_id)
    if services.log.tail(key) is not None:
        return Triggered(outcome=TriggerOutcome.STARTED, workflow_execution_id=key.execution_id)
    return None


def _outcome(schedule: Schedule, run: Run) -> Triggered:
    execution = execution_id(schedule.schedule_id, schedule.state.uid, run.name)
    if schedule.state.waiting == run:
        return Triggered(outcome=TriggerOutcome.WAITING, workflow_execution_id=execution)
    started = any(one.run == run and one.outcome is Outcome.STARTED for one in schedule.state.decided)
    if started:
        return Triggered(outcome=TriggerOutcome.STARTED, workflow_execution_id=execution)
    return Triggered(outcome=TriggerOutcome.SKIPPED, workflow_execution_id=None)


def _trigger_name(services: Services, request_id: str | None) -> str:
    if request_id is None:
        return f"t{services.random_bytes(_UID_BYTES).hex()}"
    return f"t{hashlib.sha256(request_id.encode()).hexdigest()[:32]}"


def _taken(schedule_id: str) -> Conflict:
    return Conflict(f"there is a schedule {schedule_id!r}", code="SCHEDULE_EXISTS")


def _busy(schedule_id: str) -> Unavailable:
    return Unavailable(f"schedule {schedule_id!r} is busy; try again", code="BUSY", retry_after_s=1)
