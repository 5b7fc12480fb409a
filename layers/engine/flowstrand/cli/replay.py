"""`flowstrand replay`: whether the code as it is now would go on with executions as they were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.exits import Exit
from flowstrand.cli.failures import tell, told_on_one_line
from flowstrand.errors import DeterminismViolation, InvalidInput

if TYPE_CHECKING:
    from flowstrand.sdk.app import App


def replay(
    histories: Annotated[
        list[Path],
        typer.Argument(metavar="HISTORY...", help="Recorded histories: JSON as the events route gives it."),
    ],
    app: Annotated[
        str, typer.Option(metavar="FILE_OR_MODULE", help="The workflows: app.py, app.py:attr or module:attr.")
    ],
) -> None:
    """Replay recorded histories on the code as it is now; exit status 1 if it asks for anything else than they hold.

    Examples:
        flowstrand replay waits-to-ship.json --app shop.py
    """
    from flowstrand.sdk.app import App

    with told_on_one_line():
        loaded = App.load(app)
        agreed = [_agrees(history, loaded) for history in histories]
    if not all(agreed):
        raise typer.Exit(Exit.FAILED)


def _agrees(history: Path, app: App) -> bool:
    from flowstrand.testing.replay import replay_history

    try:
        replayed = replay_history(history, app)
    except DeterminismViolation as violation:  # the diff is worth its lines
        typer.echo(f"{history}: {violation.message} ({violation.code})", err=True)
        return False
    except InvalidInput as refused:
        tell(f"{history}: {refused.message}", refused.code)
        return False
    typer.echo(f"{history}: {replayed.kind}: {replayed.events} events, {replayed.turns} turns: the same")
    return True
