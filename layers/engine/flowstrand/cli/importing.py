"""`flowstrand import`: histories from a file, as the logs that they were."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.cells import Column
from flowstrand.cli.on_place import Visit, on_place

if TYPE_CHECKING:
    from flowstrand.jsonvalue import JsonObject
    from flowstrand.operations.importing import Imported

_COLUMNS = (
    Column("workflowExecutionId", "EXECUTION", is_whole=True),
    Column("org", "ORG"),
    Column("kind", "KIND"),
    Column("status", "STATUS", is_whole=True),
    Column("events", "EVENTS", is_whole=True),
    Column("outcome", "OUTCOME", is_whole=True),
)


@on_place
def imported(
    visit: Visit,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `flowstrand export` has written.")],
    org: Annotated[str | None, typer.Option(help="Whose they are to be.", show_default="whose they were")] = None,
    leave_out_open: Annotated[
        bool,
        typer.Option("--leave-out-open", help="Without the executions that were open when they were exported."),
    ] = False,
    expires: Annotated[
        bool,
        typer.Option(
            "--expires/--for-ever",
            help="Whether retention applies to them, counted from their end, or they are kept.",
        ),
    ] = False,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only see whether the file is sound; nothing is imported.")
    ] = False,
) -> None:
    """Import executions that have ended; importing a file again changes nothing, and repairs what was broken off.

    Examples:
        flowstrand import order.jsonl --data .flowstrand
        flowstrand import failed.jsonl --stack flowstrand-test --org acme --leave-out-open
    """
    from flowstrand.engine.ids import OrgId
    from flowstrand.histories.reading import read_file
    from flowstrand.operations import importing

    count = importing.check(read_file(file), leave_out_open=leave_out_open)
    if check_only:
        visit.out.said({"file": str(file), "executions": count}, f"{file}: {count} executions, all sound")
        return
    owner = None if org is None else OrgId(_name(org))
    services = visit.place.services
    done: list[Imported] = []
    try:
        for history in read_file(file):
            done.append(importing.import_one(services, history, org=owner, expires=expires))
    finally:  # where one is refused, what became of those before it
        visit.out.many("executions", [_body(each) for each in done], _COLUMNS)


def _name(org: str) -> str:
    from flowstrand.engine.names import is_name

    if not is_name(org):
        raise typer.BadParameter(f"{org!r} cannot be the name of an org", param_hint="--org")
    return org


def _body(each: Imported) -> JsonObject:
    return {
        "workflowExecutionId": each.key.execution_id,
        "org": each.key.org,
        "kind": each.kind,
        "status": each.status,
        "events": each.events,
        "outcome": each.outcome.value,
    }
