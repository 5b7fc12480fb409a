"""Response bodies of the routes of schedules."""

from __future__ import annotations

from typing import Any

from flowstrand.engine.schedule.policy import MissedRunPolicy, OverlapPolicy
from flowstrand.engine.schedule.state import Outcome, Run, ScheduleStatus, execution_id
from flowstrand.engine.schema import rfc3339
from flowstrand.http.response_body import Moment, ResponseBody
from flowstrand.service.schedule_rows import Schedule
from flowstrand.service.schedule_runs import PastRun, RunPage
from flowstrand.service.schedules import SchedulePage, Triggered, TriggerOutcome


class RunView(ResponseBody):
    """A run that was started, or that waits to be."""

    workflow_execution_id: str
    scheduled_at: Moment

    @classmethod
    def of(cls, schedule: Schedule, run: Run) -> RunView:
        """One of `schedule`'s."""
        execution = execution_id(schedule.schedule_id, schedule.state.uid, run.name)
        return cls(workflow_execution_id=execution, scheduled_at=rfc3339(run.at_ms))


class ScheduleView(ResponseBody):
    """A schedule as it stands; without its runs' input where there are many."""

    schedule_id: str
    status: ScheduleStatus
    time_zone: str
    overlap_policy: OverlapPolicy
    missed_run_policy: MissedRunPolicy
    grace_seconds: float
    catch_up_limit: int
    created_at: Moment
    revision: int
    kind: str
    queue: str
    at: Moment | None = None
    cron: str | None = None
    next_run_at: Moment | None = None
    last_run: RunView | None = None
    waiting_run: RunView | None = None
    version: str | None = None
    metadata: dict[str, Any] | None = None
    timeout_seconds: float | None = None
    input: Any = None

    @classmethod
    def of(cls, schedule: Schedule, *, with_input: bool = True) -> ScheduleView:
        """What `schedule` says."""
        state = schedule.state
        return cls(
            schedule_id=schedule.schedule_id,
            status=state.status,
            time_zone=state.timing.time_zone,
            overlap_policy=state.overlap_policy,
            missed_run_policy=state.missed_run_policy,
            grace_seconds=state.grace_ms / 1_000,
            catch_up_limit=state.catch_up_limit,
            created_at=rfc3339(state.created_at_ms),
            revision=state.revision,
            kind=schedule.request.kind,
            queue=schedule.request.queue,
            **_optional(schedule, with_input=with_input),
        )


class SchedulesFound(ResponseBody):
    """A page of schedules, by id. `next_after` is there if there may be more."""

    schedules: list[ScheduleView]
    next_after: str | None = None

    @classmethod
    def of(cls, page: SchedulePage) -> SchedulesFound:
        """What `page` holds."""
        views = [ScheduleView.of(schedule, with_input=False) for schedule in page.schedules]
        more = {} if page.next_after is None else {"next_after": page.next_after}
        return cls(schedules=views, **more)


class PastRunView(ResponseBody):
    """A run and what became of it."""

    scheduled_at: Moment
    outcome: Outcome
    triggered: bool
    workflow_execution_id: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, past: PastRun) -> PastRunView:
        """What `past` says."""
        given = {"workflow_execution_id": past.workflow_execution_id, "reason": past.reason}
        return cls(
            scheduled_at=rfc3339(past.run.at_ms),
            outcome=past.outcome,
            triggered=past.run.is_triggered,
            **{name: value for name, value in given.items() if value is not None},
        )


class RunsFound(ResponseBody):
    """A page of runs, the newest first. `next_after` is there if there are more."""

    runs: list[PastRunView]
    next_after: str | None = None

    @classmethod
    def of(cls, page: RunPage) -> RunsFound:
        """What `page` holds."""
        more = {} if page.next_after is None else {"next_after": page.next_after}
        return cls(runs=[PastRunView.of(past) for past in page.runs], **more)


class ScheduleDeleted(ResponseBody):
    """Nothing is left to be said of it."""


class ScheduleTriggered(ResponseBody):
    """What became of a run that was asked for; one that was skipped has no execution."""

    outcome: TriggerOutcome
    workflow_execution_id: str | None = None

    @classmethod
    def of(cls, triggered: Triggered) -> ScheduleTriggered:
        """What `triggered` says."""
        if triggered.workflow_execution_id is None:
            return cls(outcome=triggered.outcome)
        return cls(outcome=triggered.outcome, workflow_execution_id=triggered.workflow_execution_id)


def _optional(schedule: Schedule, *, with_input: bool) -> dict[str, Any]:
    """The fields that not every schedule has."""
    state, request = schedule.state, schedule.request
    given = {
        "at": None if state.timing.at_ms is None else rfc3339(state.timing.at_ms),
        "cron": state.timing.cron,
        "next_run_at": None if state.next_at_ms is None else rfc3339(state.next_at_ms),
        "last_run": RunView.of(schedule, state.last_run) if state.last_run else None,
        "waiting_run": RunView.of(schedule, state.waiting) if state.waiting else None,
        "version": request.version,
        "metadata": request.metadata,
        "timeout_seconds": None if request.timeout_ms is None else request.timeout_ms / 1_000,
    }
    present: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return present | {"input": request.input} if with_input else present
