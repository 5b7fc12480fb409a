"""`flowstrand start`: start an execution."""

from __future__ import annotations

from typing import Annotated

import typer

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.json_option import parsed


def start(
    kind: Annotated[str, typer.Argument(help="Of the workflow.")],
    input: Annotated[str, typer.Option(metavar="JSON", help="What the workflow is given.")] = "null",
    queue: Annotated[str, typer.Option(help="Where its tasks go.")] = "default",
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="A name for what is started: while it stands for an execution, that is printed."),
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Start an execution, once where it is given a key, and print its id."""
    value = parsed(input, "--input")
    with told_on_one_line(), connect(url, api_key, org) as client:
        typer.echo(client.start(kind, value, queue=queue, idempotency_key=idempotency_key).id)
