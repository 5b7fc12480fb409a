"""`flowstrand get`: one execution as it is now."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from flowstrand.cli.connecting import ApiKey, Org, Url, connect
from flowstrand.cli.failures import told_on_one_line
from flowstrand.client import Execution
from flowstrand.jsonvalue import JsonObject


def get(
    execution_id: Annotated[str, typer.Argument(metavar="ID", help="Of the execution.")],
    url: Url = None,
    api_key: ApiKey = None,
    org: Org = None,
) -> None:
    """Print an execution as JSON: its status, and its output or error."""
    with told_on_one_line(), connect(url, api_key, org) as client:
        typer.echo(json.dumps(_shown(client.get(execution_id)), indent=2, ensure_ascii=False))


def _shown(execution: Execution) -> JsonObject:
    shown: JsonObject = {
        "workflowExecutionId": execution.id,
        "kind": execution.kind,
        "status": execution.status,
        "createdAt": execution.created_at,
        "currentSequence": execution.current_sequence,
        "queue": execution.queue,
        "version": execution.version,
        "metadata": execution.metadata,
        "parentWorkflowExecutionId": execution.parent_id,
        "output": execution.output,
        "error": execution.error,
    }
    return {name: value for name, value in shown.items() if value is not None}
