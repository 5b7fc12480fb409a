"""`on_place`: a command that acts on a stack or a data folder, past the API, with the options that all of them have."""

from __future__ import annotations

import os
from collections.abc import Callable
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeAlias

import typer

from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.on_server import AsJson
from flowstrand.cli.output import Output
from flowstrand.cli.shaping import shaped
from flowstrand.dataclass import dataclass

if TYPE_CHECKING:
    from flowstrand.operations.place import Place

P = ParamSpec("P")

_PANEL = "Place"

StackName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        envvar="FLOWSTRAND_STACK",
        help="A deployed stack, as CloudFormation knows it; with the AWS credentials and the region of the environment.",
        rich_help_panel=_PANEL,
    ),
]
DataFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        envvar="FLOWSTRAND_DATA",
        help="The data folder of a local server.",
        rich_help_panel=_PANEL,
    ),
]

_SHARED = [
    Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
    Parameter("stack", Parameter.KEYWORD_ONLY, default=None, annotation=StackName),
    Parameter("data", Parameter.KEYWORD_ONLY, default=None, annotation=DataFolder),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a command works with: the place, and where to say what came of it."""

    place: Place
    out: Output


def on_place(function: Callable[Concatenate[Visit, P], None]) -> Callable[..., None]:
    """The command of a function: its own parameters but the visit, and the options that every such command has."""

    def command(*, as_json: bool, stack: str | None, data: Path | None, **given: Any) -> None:
        from flowstrand.operations.place import open_place
        from flowstrand.operations.refusals import refusals_told

        with told_on_one_line(as_json=as_json), refusals_told():
            place = open_place(stack=stack, data=data, environment=os.environ)
            try:
                run(Visit(place=place, out=Output(as_json=as_json)), **given)
            finally:
                place.close()

    run: Callable[..., None] = function
    return shaped(command, function, _SHARED)
