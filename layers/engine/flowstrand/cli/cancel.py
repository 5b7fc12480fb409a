"""`flowstrand cancel`: ask an execution to end, or end it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.failures import told_on_one_line


def cancel(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="Of the execution.")],
    reason: Annotated[str | None, typer.Option(help="For the log and for the workflow's code.")] = None,
    cascade: Annotated[bool, typer.Option(help="Ask its children as well.")] = True,
    force: Annotated[bool, typer.Option(help="End it now, without running its code.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Ask an execution to end and print how it stands now."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        client.cancel(execution_id, reason=reason, cascade=cascade, force=force)
        status = client.get(execution_id).status
    typer.echo(json.dumps({"workflowExecutionId": execution_id, "status": status}) if as_json else status)
