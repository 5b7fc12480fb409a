"""`flowstrand signal-with-start`: send a message to an execution by its name, started for it at need."""

from __future__ import annotations

from typing import Annotated

import typer

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.json_option import parsed


def signal_with_start(
    kind: Annotated[str, typer.Argument(help="Of the workflow.")],
    workflow_id: Annotated[
        str, typer.Argument(metavar="KEY", help="The idempotency key that names the execution.")
    ],
    name: Annotated[str, typer.Argument(help="Of the signal.")],
    value: Annotated[str, typer.Option(metavar="JSON", help="What it carries.")] = "null",
    input: Annotated[str, typer.Option(metavar="JSON", help="What a new execution is given.")] = "null",
    queue: Annotated[str, typer.Option(help="Where the tasks of a new one go.")] = "default",
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Signal the open execution of that key, or start one; print its id."""
    carried, given = parsed(value, "--value"), parsed(input, "--input")
    with told_on_one_line(), connect(url, api_key, org) as client:
        typer.echo(client.signal_with_start(kind, workflow_id, name, carried, input=given, queue=queue).id)
