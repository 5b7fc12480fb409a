"""`flowstrand prune`: stored values that no log refers to any more."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from flowstrand.cli.on_place import Visit, on_place
from flowstrand.jsonvalue import JsonObject

_NAMES = {
    "stored": "stored",
    "stored_bytes": "storedBytes",
    "unreferenced": "unreferenced",
    "unreferenced_bytes": "unreferencedBytes",
    "marked": "marked",
    "deleted": "deleted",
    "deleted_bytes": "deletedBytes",
}


@on_place
def prune(
    visit: Visit,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is marked or deleted.")] = False,
) -> None:
    """Mark large values that no log refers to, and delete those that were marked a week ago. It reads every log.

    Examples:
        flowstrand prune --stack flowstrand --dry-run
        flowstrand prune --stack flowstrand
    """
    from flowstrand.operations import pruning

    place = visit.place
    found = pruning.prune(place.services, place.payloads, place.logs, dry_run=dry_run)
    body: JsonObject = {_NAMES[name]: number for name, number in asdict(found).items()}
    text = (
        f"{found.stored} stored values ({found.stored_bytes} bytes), {found.unreferenced} of them unreferenced "
        f"({found.unreferenced_bytes} bytes): {found.marked} marked, {found.deleted} deleted ({found.deleted_bytes} bytes)"
    )
    visit.out.said(body, text)
