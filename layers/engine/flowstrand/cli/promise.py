"""`flowstrand promise`: resolve or reject what a workflow waits for."""

from __future__ import annotations

import json
from typing import Annotated, TypeAlias

import typer

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.json_option import parsed
from flowstrand.client import Settled

PromiseName: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="Of the promise; or key:KEY, the key its author gave it.")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="A JSON object.")]

promise = typer.Typer(name="promise", help="Settle what a workflow waits for.", no_args_is_help=True)


@promise.command()
def resolve(
    promise_id: PromiseName,
    value: Annotated[str, typer.Option(metavar="JSON", help="What the workflow gets.")] = "null",
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Give a promise its value."""
    given = parsed(value, "--value")
    with told_on_one_line(), connect(url, api_key, org) as client:
        _tell(client.resolve_promise(promise_id, given), as_json)


@promise.command()
def reject(
    promise_id: PromiseName,
    message: Annotated[str, typer.Option(help="Why, for people.")] = "rejected",
    type: Annotated[str, typer.Option(help="Why, for programs.")] = "Rejected",
    as_json: AsJson = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Fail a promise."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        _tell(client.reject_promise(promise_id, message, type=type), as_json)


def _tell(settled: Settled, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"sequence": settled.sequence, "alreadyResolved": settled.already_settled}))
    else:
        typer.echo(f"{settled.sequence} (settled before)" if settled.already_settled else settled.sequence)
