"""`flowstrand redrive`: dead letters back to their queues, and stalled executions on their way."""

from __future__ import annotations

from typing import Annotated

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.durations import milliseconds
from flowstrand.cli.on_place import Visit, on_place
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.operations.queue_names import DeadLetters

_QUEUES = (
    Column("queue", "DEAD LETTERS OF", is_whole=True),
    Column("found", "FOUND", is_whole=True),
    Column("moved", "MOVED", is_whole=True),
    Column("left", "LEFT", is_whole=True),
)
_WOKEN = (
    Column("org", "ORG"),
    Column("workflowExecutionId", "WOKEN", is_whole=True),
    Column("code", "CODE", is_whole=True),
    Column("message", "BECAUSE IT"),
)


@on_place
def redrive(
    visit: Visit,
    queues: Annotated[
        list[DeadLetters] | None,
        typer.Argument(metavar="QUEUE...", help="control, tasks, projector; all of them by default."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Messages of each queue, at most.")] = None,
    wake: Annotated[
        bool, typer.Option("--wake", help="Wake executions that stall, and leave the queues alone.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, help="With --wake: open executions that are looked at.")] = 10_000,
    stalled_after: Annotated[
        str, typer.Option(metavar="DURATION", help="With --wake: how long what a wake does may take.")
    ] = "15m",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what there is.")] = False,
) -> None:
    """Send what could not be handled to its queue again, once what was wrong is repaired.

    Examples:
        flowstrand redrive --stack flowstrand --dry-run
        flowstrand redrive control --limit 10 --stack flowstrand
        flowstrand redrive --wake --stack flowstrand
    """
    if wake:
        _wake(visit, milliseconds(stalled_after, "--stalled-after"), most=most, dry_run=dry_run)
        return
    from flowstrand.operations.redriving import redrive as redrive_one

    done = [redrive_one(visit.place, queue, limit=limit, dry_run=dry_run) for queue in queues or DeadLetters]
    rows: list[JsonObject] = [
        {"queue": each.queue.value, "found": each.found, "moved": each.moved, "left": each.left} for each in done
    ]
    visit.out.many("queues", rows, _QUEUES)


def _wake(visit: Visit, stalled_ms: int, *, most: int, dry_run: bool) -> None:
    from flowstrand.operations.redriving import wake_stalled
    from flowstrand.service.stalls import Patience

    found = wake_stalled(visit.place, Patience(stalled_ms=stalled_ms), most=most, dry_run=dry_run)
    rows: list[JsonObject] = [
        {
            "org": stall.key.org,
            "workflowExecutionId": stall.key.execution_id,
            "code": stall.code,
            "message": stall.message,
        }
        for stall in found
    ]
    if visit.out.as_json:
        listed: list[JsonValue] = list(rows)
        visit.out.value({"executions": listed, "woken": not dry_run})
    else:
        visit.out.many("stalled executions", rows, _WOKEN)
