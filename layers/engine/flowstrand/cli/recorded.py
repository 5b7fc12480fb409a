"""Histories that commands work on: from files of `flowstrand export`, or from where they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from flowstrand.histories.history import History

Files: TypeAlias = Annotated[
    list[Path] | None, typer.Argument(metavar="FILE...", help="What `flowstrand export` has written.")
]
Execution: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ID", help="One that is there, with its descendants, instead of files.")
]
Owner: TypeAlias = Annotated[str, typer.Option(envvar="FLOWSTRAND_ORG", help="Whose it is.")]


def chosen(
    files: Files, execution: Execution, org: Owner, stack: str | None, data: Path | None
) -> Iterator[History]:
    """Those of the files, or of the execution; nothing is read before the first is asked for.

    Raises:
        typer.BadParameter: both are given, or neither.
    """
    if bool(files) == bool(execution):
        raise typer.BadParameter("give files, or --execution", param_hint="FILE")
    return _from_files(files or []) if execution is None else _from_place(execution, org, stack, data)


def _from_files(files: list[Path]) -> Iterator[History]:
    """Those of every file, in their order."""
    from flowstrand.histories.reading import read_file

    for file in files:
        yield from read_file(file)


def _from_place(execution: str, org: str, stack: str | None, data: Path | None) -> Iterator[History]:
    """That of an execution, and behind it those of its descendants."""
    from flowstrand.engine.ids import ExecutionId, OrgId
    from flowstrand.log.port import LogKey
    from flowstrand.operations.exporting import family
    from flowstrand.operations.place import open_place

    place = open_place(stack=stack, data=data, environment=os.environ)
    try:
        key = LogKey(OrgId(org), ExecutionId(execution))
        yield from family(place.services, [key], with_descendants=True)
    finally:
        place.close()
