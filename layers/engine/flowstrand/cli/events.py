"""`flowstrand events`: the log of an execution, as far as it goes now."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.event_line import event_line
from flowstrand.cli.failures import told_on_one_line
from flowstrand.engine.schema import epoch_ms


def events(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="Of the execution.")],
    after: Annotated[int, typer.Option(min=0, help="Leave out everything up to this sequence.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Print the events of an execution that are there now."""
    console = Console(highlight=False, soft_wrap=True)
    with told_on_one_line(), connect(url, api_key, org) as client:
        for event in client.events(execution_id, after=after):
            if as_json:
                typer.echo(json.dumps(asdict(event), ensure_ascii=False))
            else:
                console.print(event_line(event.sequence, event.type, epoch_ms(event.timestamp), event.data))
