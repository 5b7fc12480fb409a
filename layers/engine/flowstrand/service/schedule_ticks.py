"""Looking at a schedule: carry out what was decided, decide what is due, carry that out, and be called at the next moment.

A decision is a conditional write that names the runs it starts and moves the schedule on; only then is anything done.
Two that look at once cannot decide twice, and whoever dies in between leaves the decision for the next look. That comes
from a timer, from the end of a run, or from the sweep, and each may come late, twice, or at the same time as another.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.schedule import decide
from flowstrand.engine.schedule.state import (
    Ending,
    Outcome,
    Run,
    ScheduleState,
    ScheduleStatus,
    execution_id,
    made_at_ms,
    uid_of,
)
from flowstrand.engine.schema import rfc3339
from flowstrand.errors import Conflict, NotFound, UnprocessableInput
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import ScheduleDue
from flowstrand.service import append, cancel, executions, schedule_index, schedule_rows, schedule_runs, succession
from flowstrand.service.container import Services
from flowstrand.service.schedule_rows import Schedule
from flowstrand.service.waking import wake

SCHEDULE_ID = "scheduleId"
"""In the metadata of an execution that a schedule started: which one did."""

SCHEDULED_AT = "scheduledAt"
"""The same: the moment that it is for."""

NO_TIMER = -1
"""`ScheduleDue.for_ms` of a message that comes because of something else than the time."""

_ROUNDS = 50
"""Decisions in one look; then it goes on in another, so that one schedule cannot keep a process for ever."""
_ABANDONED_MS = 3_600_000
"""A schedule that was announced, and not written for this long, will not be."""


def tick(services: Services, due: ScheduleDue) -> None:
    """Look at a schedule. Returns when nothing is left to do before its next moment, for which a timer is set.

    Raises:
        StoreUnavailable, Contended, Unavailable: look again later.
    """
    for _ in range(_ROUNDS):
        schedule = schedule_rows.find(services, due.org, due.schedule_id)
        if schedule is None or schedule.state.uid != due.uid:
            _forget_abandoned(services, due)
            return
        if schedule.state.status is ScheduleStatus.DELETED:
            schedule_index.remove(services.directory, due)
            return
        if not schedule.state.is_settled:
            settle(services, schedule)
            continue
        state = _advance(services, schedule)
        if state == schedule.state:
            _arm(services, schedule, due)
            return
        with suppress(PreconditionFailed):
            settle(services, schedule_rows.write(services, schedule, state))
    services.control.send([due])


def decide_due(services: Services, schedule: Schedule) -> None:
    """Decide what is due of a settled schedule, and carry it out: what a look would do.

    Raises:
        PreconditionFailed: somebody else has.
        StoreUnavailable, Contended, Unavailable: some of it may not have been carried out.
    """
    settle(services, schedule_rows.write(services, schedule, _advance(services, schedule)))


def settle(services: Services, schedule: Schedule) -> None:
    """Carry out what was decided, once or again, and write down that it has been.

    Raises:
        StoreUnavailable, Contended, Unavailable: some of it may not have been carried out.
    """
    if schedule.state.is_settled:
        return
    if schedule.state.ending is not None:
        _end(services, schedule, schedule.state.ending)
    for decided in schedule.state.decided:
        outcome, reason = decided.outcome, None
        if outcome is Outcome.STARTED:
            reason = _start(services, schedule, decided.run)
        outcome = outcome if reason is None else Outcome.FAILED
        schedule_runs.record(services, schedule, decided.run, outcome, reason)
    with suppress(PreconditionFailed):  # somebody else carried it out as well
        schedule_rows.write(services, schedule, decide.settle(schedule.state))


def is_running(services: Services, schedule: Schedule) -> bool:
    """Whether the last run, or the execution that it has continued as, is open."""
    last = schedule.state.last_run
    tip = append.load(services, _key(schedule, last.name)) if last else None
    return tip is not None and not succession.follow(services, tip).state.closed


def tell(services: Services, tip: append.Tip) -> None:
    """Have the schedule of an execution that has ended looked at, if it has one: another run may wait for that."""
    schedule_id = (tip.state.metadata or {}).get(SCHEDULE_ID)
    if not isinstance(schedule_id, str):
        return
    uid = uid_of(tip.key.execution_id, schedule_id)
    if uid is not None:
        services.control.send([ScheduleDue(org=tip.key.org, schedule_id=schedule_id, uid=uid, for_ms=NO_TIMER)])


def _advance(services: Services, schedule: Schedule) -> ScheduleState:
    now_ms = services.clock.now_ms()
    asks = decide.depends_on_last_run(schedule.state, now_ms)
    return decide.advance(schedule.state, now_ms, is_running=asks and is_running(services, schedule))


def _arm(services: Services, schedule: Schedule, due: ScheduleDue) -> None:
    """Set the timer of the next moment, unless it has been.

    Were each look to set it, then every message that comes at a moment would send one for the next, and those that the sweep
    and the ends of runs add would never become fewer.
    """
    state = schedule.state
    if state.status is not ScheduleStatus.ACTIVE or state.next_at_ms is None:
        return
    is_armed = state.armed_for_ms == state.next_at_ms
    if is_armed and due.for_ms not in {0, state.next_at_ms}:  # one for this very moment has come too early
        return
    services.timers.at(replace(schedule.due, for_ms=state.next_at_ms), state.next_at_ms)
    if not is_armed:
        with suppress(PreconditionFailed):  # whoever has changed it has it looked at again
            schedule_rows.write(services, schedule, replace(state, armed_for_ms=state.next_at_ms))


def _start(services: Services, schedule: Schedule, run: Run) -> str | None:
    """Start a run, unless it has been; returns why it cannot be."""
    key = _key(schedule, run.name)
    marks: JsonObject = {SCHEDULE_ID: schedule.schedule_id, SCHEDULED_AT: rfc3339(run.at_ms)}
    metadata = {**(schedule.request.metadata or {}), **marks}
    request = replace(schedule.request, metadata=metadata, trace=run.trace)
    try:
        executions.start(services, schedule.org, request, execution_id=key.execution_id, counts=False)
    except Conflict:  # an earlier look started it, and may not have come to wake it
        wake(services, key, 1)
    except (NotFound, UnprocessableInput) as refused:
        return refused.message
    return None


def _end(services: Services, schedule: Schedule, ending: Ending) -> None:
    """End an earlier run; one that has ended, or never began, is no fault."""
    execution = execution_id(schedule.schedule_id, schedule.state.uid, ending.run)
    with suppress(Conflict, NotFound):
        cancel.cancel(
            services,
            schedule.org,
            execution,
            reason=f"schedule {schedule.schedule_id} starts its next run",
            force=ending.is_forced,
            request_id=f"schedule/{schedule.state.uid}/{ending.for_run}",
        )


def _forget_abandoned(services: Services, due: ScheduleDue) -> None:
    """Forget a schedule that is gone, unless it may be about to be written."""
    if services.clock.now_ms() - made_at_ms(due.uid) > _ABANDONED_MS:
        schedule_index.remove(services.directory, due)


def _key(schedule: Schedule, run: str) -> LogKey:
    return LogKey(schedule.org, execution_id(schedule.schedule_id, schedule.state.uid, run))
