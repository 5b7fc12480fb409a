"""`flowstrand redrive`: dead letters back to their queues, and stalled executions on their way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.durations import milliseconds
from flowstrand.cli.on_place import Visit, on_place
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.operations.queue_names import DeadLetters

if TYPE_CHECKING:
    from flowstrand.operations.redriving import Redriven

_QUEUES = (
    Column("queue", "DEAD LETTERS OF", is_whole=True),
    Column("found", "FOUND", is_whole=True),
    Column("moved", "MOVED", is_whole=True),
    Column("left", "LEFT", is_whole=True),
    Column("underWay", "UNDER WAY", is_whole=True),
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
    by_sqs: Annotated[
        bool,
        typer.Option(
            "--by-sqs", help="Have SQS move them by itself: faster for very many, and without a look at them."
        ),
    ] = False,
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
    if by_sqs and (dry_run or limit is not None):
        raise typer.BadParameter("moves everything, at once", param_hint="--by-sqs")
    visit.out.many(
        "queues", [_row(each) for each in _redriven(visit, queues, limit, by_sqs=by_sqs, dry_run=dry_run)], _QUEUES
    )


def _redriven(
    visit: Visit, queues: list[DeadLetters] | None, limit: int | None, *, by_sqs: bool, dry_run: bool
) -> Iterator[Redriven]:
    from flowstrand.operations.redriving import hand_over, redrive

    if by_sqs:
        for queue in queues or [DeadLetters.CONTROL, DeadLetters.TASKS]:
            yield hand_over(visit.place, queue)
        return
    for queue in queues or DeadLetters:
        yield redrive(visit.place, queue, limit=limit, dry_run=dry_run)


def _row(each: Redriven) -> JsonObject:
    return {
        "queue": each.queue.value,
        "found": each.found,
        "moved": each.moved,
        "left": each.left,
        "underWay": each.under_way,
    }


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
