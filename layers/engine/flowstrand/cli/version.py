"""`flowstrand --version`."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, TypeAlias

import typer


def show(asked: bool) -> None:
    """Print it and end.

    Raises:
        typer.Exit: it was asked for.
    """
    if asked:
        typer.echo(f"flowstrand {version('flowstrand')}")
        raise typer.Exit


Version: TypeAlias = Annotated[
    bool, typer.Option("--version", callback=show, is_eager=True, help="Print the version and end.")
]
