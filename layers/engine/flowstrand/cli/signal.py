"""`flowstrand signal`: send a message to a running execution."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.json_option import parsed


def signal(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="Of the execution.")],
    name: Annotated[str, typer.Argument(help="Of the signal.")],
    value: Annotated[str, typer.Option(metavar="JSON", help="What it carries.")] = "null",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Send a signal and print the sequence of its event."""
    carried = parsed(value, "--value")
    with told_on_one_line(), connect(url, api_key, org) as client:
        sequence = client.signal(execution_id, name, carried)
    typer.echo(json.dumps({"signalEventSequence": sequence}) if as_json else sequence)
