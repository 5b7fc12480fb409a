"""`flowstrand doctor`: what is wrong with a stack, or with a local server's data."""

from __future__ import annotations

from typing import Annotated

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.durations import milliseconds
from flowstrand.cli.exits import Exit
from flowstrand.cli.on_place import Visit, on_place
from flowstrand.jsonvalue import JsonObject, JsonValue

_COLUMNS = (
    Column("severity", "SEVERITY", is_whole=True),
    Column("code", "CODE", is_whole=True),
    Column("subject", "SUBJECT"),
    Column("message", "FOUND"),
    Column("remedy", "WHAT TO DO"),
)


@on_place
def doctor(
    visit: Visit,
    most: Annotated[int, typer.Option(min=1, help="Open executions that are looked at, at most.")] = 1_000,
    stalled_after: Annotated[
        str, typer.Option(metavar="DURATION", help="How long what a wake does may take.")
    ] = "15m",
    waiting_after: Annotated[
        str, typer.Option(metavar="DURATION", help="How long a task may wait for a worker.")
    ] = "1h",
    lag_after: Annotated[
        str, typer.Option(metavar="DURATION", help="How far listing and feeds may lag behind.")
    ] = "1m",
    backlog: Annotated[int, typer.Option(min=0, help="Messages that may wait in a queue.")] = 1_000,
) -> None:
    """Look at tables, queues, functions and open executions; exit status 1 if anything is wrong, 2 if something could not be seen.

    Examples:
        flowstrand doctor --stack flowstrand
        flowstrand doctor --data .flowstrand --json
    """
    from flowstrand.operations.doctor import examine
    from flowstrand.service.stalls import Patience

    patience = Patience(
        stalled_ms=milliseconds(stalled_after, "--stalled-after"),
        waiting_ms=milliseconds(waiting_after, "--waiting-after"),
        lag_ms=milliseconds(lag_after, "--lag-after"),
    )
    found = examine(visit.place, patience, most=most, backlog=backlog)
    rows: list[JsonObject] = [
        {
            "severity": finding.severity.value,
            "code": finding.code,
            "subject": finding.subject,
            "message": finding.message,
            "remedy": finding.remedy,
        }
        for finding in found.findings
    ]
    if visit.out.as_json:
        listed: list[JsonValue] = list(rows)
        visit.out.value({"place": visit.place.title, "looks": found.looks, "findings": listed})
    else:
        if rows:
            visit.out.many("findings", rows, _COLUMNS)
        typer.echo(f"{visit.place.title}: {found.looks} looks, {len(rows)} findings", err=True)
    if not found.is_healthy:
        raise typer.Exit(Exit.FAILED)
    if not found.is_complete:
        raise typer.Exit(Exit.USAGE)
