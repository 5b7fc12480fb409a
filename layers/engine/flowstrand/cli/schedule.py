"""`flowstrand schedule`: have workflows started at their time."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from flowstrand.cli import completing
from flowstrand.cli.cells import Column
from flowstrand.cli.durations import seconds_or_none
from flowstrand.cli.json_option import parsed
from flowstrand.cli.on_server import Session, on_server
from flowstrand.cli.options import (
    ExecutionTimeout,
    Input,
    Metadata,
    Queue,
    RequestId,
    Version,
    WorkflowKind,
    pairs,
)

if TYPE_CHECKING:
    from flowstrand.client.schedule_calls import ScheduleOptions
    from flowstrand.client.start_options import StartOptions

ScheduleId: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="Of the schedule.", autocompletion=completing.schedule_ids)
]

_SCHEDULES = (
    Column("scheduleId", "SCHEDULE", is_whole=True),
    Column("status", "STATUS", is_whole=True),
    Column("kind", "KIND"),
    Column("cron", "CRON"),
    Column("at", "AT"),
    Column("timeZone", "TIME ZONE"),
    Column("nextRunAt", "NEXT RUN", is_whole=True),
)
_RUNS = (
    Column("scheduledAt", "SCHEDULED AT", is_whole=True),
    Column("outcome", "OUTCOME", is_whole=True),
    Column("workflowExecutionId", "EXECUTION", is_whole=True),
    Column("triggered", "TRIGGERED"),
    Column("reason", "REASON"),
)


class Overlap(StrEnum):
    """What becomes of a run that is due while the one before it is open."""

    ALLOW = "ALLOW"
    SKIP = "SKIP"
    BUFFER_ONE = "BUFFER_ONE"
    CANCEL_OTHER = "CANCEL_OTHER"
    TERMINATE_OTHER = "TERMINATE_OTHER"


class Missed(StrEnum):
    """What becomes of runs that were missed."""

    SKIP = "SKIP"
    RUN_ONCE = "RUN_ONCE"
    RUN_ALL = "RUN_ALL"


Cron: TypeAlias = Annotated[str | None, typer.Option(help="Minute, hour, day of month, month, day of week.")]
At: TypeAlias = Annotated[str | None, typer.Option(help="Instead, the one moment: 2027-01-31T09:00:00+01:00.")]
TimeZone: TypeAlias = Annotated[str, typer.Option(help="Whose clocks --cron means.")]
IfOpen: TypeAlias = Annotated[Overlap, typer.Option("--overlap", help="If the run before is open still.")]
IfMissed: TypeAlias = Annotated[Missed, typer.Option("--missed", help="If runs were missed.")]
Grace: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="DURATION", help="How late a run may be and not be missed; 5m by default."),
]
CatchUp: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="How many missed runs are made up for at most; 10 by default.")
]


@on_server
def create(
    session: Session,
    schedule_id: Annotated[str, typer.Argument(metavar="ID", help="A new one.")],
    kind: WorkflowKind,
    cron: Cron = None,
    at: At = None,
    time_zone: TimeZone = "UTC",
    input: Input = "null",
    queue: Queue = "default",
    version: Version = None,
    metadata: Metadata = None,
    execution_timeout: ExecutionTimeout = None,
    overlap: IfOpen = Overlap.SKIP,
    missed: IfMissed = Missed.RUN_ONCE,
    grace: Grace = None,
    catch_up: CatchUp = None,
) -> None:
    """Create a schedule.

    Examples:
        flowstrand schedule create nightly report --cron "30 2 * * *" --time-zone Europe/Berlin
        flowstrand schedule create launch report --at 2027-06-01T09:00:00+02:00 --input @launch.json
    """
    start = _start(queue, version, metadata, execution_timeout)
    options = _options(start, cron, at, time_zone, overlap, missed, grace, catch_up)
    given = parsed(input, "--input")
    created = session.client.schedules.create(schedule_id, kind, given, **options)
    session.out.one(created.body)


@on_server
def update(
    session: Session,
    schedule_id: ScheduleId,
    kind: WorkflowKind,
    cron: Cron = None,
    at: At = None,
    time_zone: TimeZone = "UTC",
    input: Input = "null",
    queue: Queue = "default",
    version: Version = None,
    metadata: Metadata = None,
    execution_timeout: ExecutionTimeout = None,
    overlap: IfOpen = Overlap.SKIP,
    missed: IfMissed = Missed.RUN_ONCE,
    grace: Grace = None,
    catch_up: CatchUp = None,
    revision: Annotated[
        int | None, typer.Option(min=1, help="Only if it has this one, as `get` shows it.")
    ] = None,
) -> None:
    """Change what a schedule does: all of it. What is not given is as for a new one; its runs so far and whether it is paused stay.

    Examples:
        flowstrand schedule update nightly report --cron "0 4 * * *" --time-zone Europe/Berlin
        flowstrand schedule update nightly report --cron "0 4 * * *" --revision 1
    """
    start = _start(queue, version, metadata, execution_timeout)
    options = _options(start, cron, at, time_zone, overlap, missed, grace, catch_up)
    updated = session.client.schedules.update(
        schedule_id, kind, parsed(input, "--input"), expected_revision=revision, **options
    )
    session.out.one(updated.body)


def _start(
    queue: str, version: str | None, metadata: list[str] | None, execution_timeout: str | None
) -> StartOptions:
    return {
        "queue": queue,
        "version": version,
        "metadata": {**pairs(metadata, "--metadata")} or None,
        "execution_timeout": seconds_or_none(execution_timeout, "--execution-timeout"),
    }


def _options(
    start: StartOptions,
    cron: str | None,
    at: str | None,
    time_zone: str,
    overlap: Overlap,
    missed: Missed,
    grace: str | None,
    catch_up: int | None,
) -> ScheduleOptions:
    if (cron is None) == (at is None):
        raise typer.BadParameter("one of the two is needed", param_hint="--cron or --at")
    options: ScheduleOptions = {
        "time_zone": time_zone,
        "overlap_policy": overlap.value,
        "missed_run_policy": missed.value,
        "start": start,
    }
    if cron is not None:
        options["cron"] = cron
    if at is not None:
        options["at"] = at
    if grace is not None:
        options["grace_seconds"] = seconds_or_none(grace, "--grace") or 0.0
    if catch_up is not None:
        options["catch_up_limit"] = catch_up
    return options


@on_server
def listed(session: Session) -> None:
    """List every schedule.

    Examples:
        flowstrand schedule list
    """
    session.out.many("schedules", (one.body for one in session.client.schedules.list()), _SCHEDULES)


@on_server
def get(session: Session, schedule_id: ScheduleId) -> None:
    """Show a schedule.

    Examples:
        flowstrand schedule get nightly
    """
    session.out.one(session.client.schedules.get(schedule_id).body)


@on_server
def pause(session: Session, schedule_id: ScheduleId) -> None:
    """Have it start nothing until it is resumed.

    Examples:
        flowstrand schedule pause nightly
    """
    session.out.one(session.client.schedules.pause(schedule_id).body)


@on_server
def resume(session: Session, schedule_id: ScheduleId) -> None:
    """Have it go on with the first moment after now.

    Examples:
        flowstrand schedule resume nightly
    """
    session.out.one(session.client.schedules.resume(schedule_id).body)


@on_server
def trigger(session: Session, schedule_id: ScheduleId, request_id: RequestId = None) -> None:
    """Have a run now, and print what became of it.

    Examples:
        flowstrand schedule trigger nightly
    """
    session.out.one(session.client.schedules.trigger(schedule_id, request_id=request_id).body)


@on_server
def delete(session: Session, schedule_id: ScheduleId) -> None:
    """Forget it; what it started goes on.

    Examples:
        flowstrand schedule delete nightly
    """
    session.client.schedules.delete(schedule_id)
    session.out.said({}, f"{schedule_id} is deleted")


@on_server
def runs(
    session: Session,
    schedule_id: ScheduleId,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
) -> None:
    """List what became of its newest runs.

    Examples:
        flowstrand schedule runs nightly --limit 5
    """
    newest = islice(session.client.schedules.runs(schedule_id), limit)
    session.out.many("runs", (run.body for run in newest), _RUNS)
