"""`flowstrand replay`: whether the code as it is now would go on with executions as they were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.exits import Exit
from flowstrand.cli.failures import tell, told_on_one_line
from flowstrand.cli.on_server import AsJson
from flowstrand.cli.output import Output
from flowstrand.dataclass import dataclass
from flowstrand.errors import DeterminismViolation, InvalidInput

if TYPE_CHECKING:
    from flowstrand.engine.events import Event
    from flowstrand.sdk.app import App


def replay(
    histories: Annotated[
        list[Path],
        typer.Argument(
            metavar="HISTORY...", help="Recorded histories: JSON as the events route gives it, or exports."
        ),
    ],
    app: Annotated[
        str, typer.Option(metavar="FILE_OR_MODULE", help="The workflows: app.py, app.py:attr or module:attr.")
    ],
    as_json: AsJson = False,
) -> None:
    """Replay recorded histories on the code as it is now; exit status 1 if it asks for anything else than they hold.

    Examples:
        flowstrand replay waits-to-ship.json --app shop.py
        flowstrand replay histories/*.json --app shop.py --json
    """
    from flowstrand.sdk.app import App

    with told_on_one_line(as_json=as_json):
        loaded = App.load(app)
        replays = []
        for history in histories:
            for replayed in _replayed(history, loaded):
                replays.append(replayed)
                if not as_json:
                    _tell(replayed)
    if as_json:
        Output(as_json=True).value({"replays": [asdict(replayed) for replayed in replays]})
    if not all(replayed.agrees for replayed in replays):
        raise typer.Exit(Exit.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Replay:
    """What came of one history."""

    history: str
    agrees: bool
    kind: str | None = None
    events: int | None = None
    turns: int | None = None
    error: str | None = None
    code: str | None = None


def _replayed(file: Path, app: App) -> Iterator[_Replay]:
    """Of every execution in a file: an export may hold several."""
    from flowstrand.testing.recorded import histories_in

    try:
        histories = histories_in(file)
    except InvalidInput as refused:
        yield _Replay(history=str(file), agrees=False, error=refused.message, code=refused.code)
        return
    for name, events in histories:
        yield _compared(name, events, app)


def _compared(name: str, events: list[Event], app: App) -> _Replay:
    from flowstrand.testing.replay import replay_events

    try:
        found = replay_events(events, app)
    except (DeterminismViolation, InvalidInput) as refused:
        return _Replay(history=name, agrees=False, error=refused.message, code=refused.code)
    return _Replay(history=name, agrees=True, kind=found.kind, events=found.events, turns=found.turns)


def _tell(replayed: _Replay) -> None:
    if replayed.agrees:
        typer.echo(
            f"{replayed.history}: {replayed.kind}: {replayed.events} events, {replayed.turns} turns: the same"
        )
    elif replayed.code == DeterminismViolation.code:  # the diff is worth its lines
        typer.echo(f"{replayed.history}: {replayed.error} ({replayed.code})", err=True)
    else:
        tell(f"{replayed.history}: {replayed.error}", str(replayed.code))
