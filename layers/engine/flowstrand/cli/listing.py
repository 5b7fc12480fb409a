"""`flowstrand list`: the executions of an org."""

from __future__ import annotations

from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli import completing
from flowstrand.cli.cells import Column
from flowstrand.cli.on_server import Session, on_server
from flowstrand.cli.options import pairs

if TYPE_CHECKING:
    from flowstrand.client.listing import ListOptions

_COLUMNS = (
    Column("workflowExecutionId", "EXECUTION", is_whole=True),
    Column("kind", "KIND"),
    Column("status", "STATUS", is_whole=True),
    Column("createdAt", "CREATED", is_whole=True),
    Column("closedAt", "CLOSED"),
    Column("metadata", "METADATA"),
)

_PAGE = 100


class Status(StrEnum):
    """How an execution stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    CANCELLING = "CANCELLING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@on_server
def listed(
    session: Session,
    status: Annotated[
        Status | None, typer.Option(case_sensitive=False, help="Only those that stand like this.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only those of this workflow.", autocompletion=completing.workflow_kinds)
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only those whose metadata holds this; may be repeated."),
    ] = None,
    created_after: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those begun since: 2026-11-23T09:00:00Z.")
    ] = None,
    created_before: Annotated[str | None, typer.Option(metavar="TIME", help="Only those begun before.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    all: Annotated[bool, typer.Option("--all", help="All of them, however many there are.")] = False,
) -> None:
    """List executions, the newest first.

    Examples:
        flowstrand list --status failed --limit 10
        flowstrand list --kind order --metadata customer=ada --created-after 2026-11-01T00:00:00Z --all --json
    """
    options: ListOptions = {"metadata": pairs(metadata, "--metadata"), "page_size": min(limit, _PAGE)}
    if status is not None:
        options["status"] = status.value
    if kind is not None:
        options["kind"] = kind
    if created_after is not None:
        options["created_after"] = created_after
    if created_before is not None:
        options["created_before"] = created_before
    if all:
        options["page_size"] = _PAGE
    found = islice(session.client.executions(**options), None if all else limit)
    session.out.many("executions", (execution.body for execution in found), _COLUMNS)
