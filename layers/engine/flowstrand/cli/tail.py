"""`flowstrand tail`: the log of an execution, live."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.event_line import event_line
from flowstrand.cli.failures import told_on_one_line
from flowstrand.client import StreamEvent
from flowstrand.engine.schema import rfc3339
from flowstrand.jsonvalue import JsonObject


def tail(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="Of the execution.")],
    after: Annotated[int, typer.Option(min=0, help="Begin behind this sequence.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Follow an execution until it ends, over as many connections as it takes."""
    console = Console(highlight=False, soft_wrap=True)
    with told_on_one_line(), connect(url, api_key, org) as client:
        for event in client.stream(execution_id, after=after):
            if as_json:
                typer.echo(json.dumps(_shown(event), ensure_ascii=False))
            else:
                console.print(event_line(event.sequence, event.type, event.timestamp_ms, event.data))


def _shown(event: StreamEvent) -> JsonObject:
    shown: JsonObject = {"sequence": event.sequence, "type": event.type}
    if event.timestamp_ms is not None:
        shown["timestamp"] = rfc3339(event.timestamp_ms)
    return {**shown, "data": event.data}
