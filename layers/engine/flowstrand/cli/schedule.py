"""`flowstrand schedule`: have workflows started at their time."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.json_option import parsed
from flowstrand.client import Schedule, ScheduleRun
from flowstrand.client.schedule_calls import ScheduleOptions
from flowstrand.jsonvalue import JsonObject

ScheduleId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Of the schedule.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="As JSON, an object a line.")]

schedule = typer.Typer(name="schedule", help="Start workflows at their time.", no_args_is_help=True)


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


@schedule.command()
def create(
    schedule_id: ScheduleId,
    kind: Annotated[str, typer.Argument(help="Of the workflow.")],
    cron: Annotated[str | None, typer.Option(help="Minute, hour, day of month, month, day of week.")] = None,
    at: Annotated[str | None, typer.Option(help="Instead, the one moment: 2027-01-31T09:00:00+01:00.")] = None,
    time_zone: Annotated[str, typer.Option(help="Whose clocks --cron means.")] = "UTC",
    input: Annotated[str, typer.Option(metavar="JSON", help="What each run is given.")] = "null",
    queue: Annotated[str, typer.Option(help="Where its tasks go.")] = "default",
    overlap: Annotated[Overlap, typer.Option(help="If the run before is open still.")] = Overlap.SKIP,
    missed: Annotated[Missed, typer.Option(help="If runs were missed.")] = Missed.RUN_ONCE,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Create a schedule."""
    if (cron is None) == (at is None):
        raise typer.BadParameter("one of the two is needed", param_hint="--cron or --at")
    options: ScheduleOptions = {
        "time_zone": time_zone,
        "overlap_policy": overlap.value,
        "missed_run_policy": missed.value,
        "start": {"queue": queue},
    }
    if cron is not None:
        options["cron"] = cron
    if at is not None:
        options["at"] = at
    value = parsed(input, "--input")
    with told_on_one_line(), connect(url, api_key, org) as client:
        _show(client.schedules.create(schedule_id, kind, value, **options), as_json)


@schedule.command(name="list")
def listed(as_json: AsJson = False, url: Url = None, api_key: ApiKey = None, org: Org = None) -> None:
    """Print every schedule, a line each."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        for one in client.schedules.list():
            _show(one, as_json)


@schedule.command()
def get(schedule_id: ScheduleId, url: Url = None, api_key: ApiKey = None, org: Org = None) -> None:
    """Print a schedule as JSON."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        typer.echo(json.dumps(client.schedules.get(schedule_id).body, indent=2, ensure_ascii=False))


@schedule.command()
def pause(
    schedule_id: ScheduleId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None, org: Org = None
) -> None:
    """Have it start nothing until it is resumed."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        _show(client.schedules.pause(schedule_id), as_json)


@schedule.command()
def resume(
    schedule_id: ScheduleId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None, org: Org = None
) -> None:
    """Have it go on with the first moment after now."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        _show(client.schedules.resume(schedule_id), as_json)


@schedule.command()
def trigger(
    schedule_id: ScheduleId, as_json: AsJson = False, url: Url = None, api_key: ApiKey = None, org: Org = None
) -> None:
    """Have a run now, and print what became of it."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        _show_run(client.schedules.trigger(schedule_id), as_json)


@schedule.command()
def delete(schedule_id: ScheduleId, url: Url = None, api_key: ApiKey = None, org: Org = None) -> None:
    """Forget it; what it started goes on."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        client.schedules.delete(schedule_id)


@schedule.command()
def runs(
    schedule_id: ScheduleId,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Print what became of its newest runs, a line each."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        for number, run in enumerate(client.schedules.runs(schedule_id), start=1):
            _show_run(run, as_json)
            if number == limit:
                break


def _show(one: Schedule, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(one.body, ensure_ascii=False))
    else:
        typer.echo("  ".join([one.id, one.status, one.kind, one.cron or one.at or "", one.next_run_at or "-"]))


def _show_run(run: ScheduleRun, as_json: bool) -> None:
    if not as_json:
        said = [run.scheduled_at, run.outcome, run.execution_id or run.reason]
        typer.echo("  ".join(part for part in said if part))
        return
    shown: JsonObject = {
        "scheduledAt": run.scheduled_at,
        "outcome": run.outcome,
        "workflowExecutionId": run.execution_id,
        "reason": run.reason,
    }
    typer.echo(json.dumps({name: value for name, value in shown.items() if value is not None}))
