"""`on_server`: a command that talks to a server, with the options that all of them have."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeAlias

import typer

from flowstrand.cli.connecting import connect
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.output import Output
from flowstrand.cli.shaping import shaped
from flowstrand.dataclass import dataclass

if TYPE_CHECKING:
    from flowstrand.client import SyncClient

P = ParamSpec("P")

_PANEL = "Server"

Url: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar="FLOWSTRAND_URL",
        help="Of the server.",
        show_default="http://127.0.0.1:8080",
        rich_help_panel=_PANEL,
    ),
]
ApiKey: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar="FLOWSTRAND_API_KEY", help="Of the org; better in the environment.", rich_help_panel=_PANEL
    ),
]
Org: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar="FLOWSTRAND_ORG", help="Whose executions are meant.", show_default="dev", rich_help_panel=_PANEL
    ),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, and errors as JSON.")]

_SHARED = [
    Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
    Parameter("url", Parameter.KEYWORD_ONLY, default=None, annotation=Url),
    Parameter("api_key", Parameter.KEYWORD_ONLY, default=None, annotation=ApiKey),
    Parameter("org", Parameter.KEYWORD_ONLY, default=None, annotation=Org),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a command works with: the server, and where to say what came of it."""

    client: SyncClient
    out: Output


def on_server(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """The command of a function: its own parameters but the session, and the options that every such command has.

    Its failures are told on one line, and end it with the status of `exits`.
    """

    def command(*, as_json: bool, url: str | None, api_key: str | None, org: str | None, **given: Any) -> None:
        with told_on_one_line(as_json=as_json), connect(url, api_key, org) as client:
            run(Session(client=client, out=Output(as_json=as_json)), **given)

    run: Callable[..., None] = function
    return shaped(command, function, _SHARED)
