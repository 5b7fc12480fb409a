"""`flowstrand trace`: recorded executions as traces, for any collector that takes OpenTelemetry's protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli import recorded
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.on_place import DataFolder, StackName
from flowstrand.cli.on_server import AsJson
from flowstrand.cli.options import pairs
from flowstrand.cli.output import Output
from flowstrand.cli.recorded import Execution, Files, Owner
from flowstrand.errors import Unavailable

if TYPE_CHECKING:
    from flowstrand.jsonvalue import JsonObject

_PATIENCE_S = 15.0
_PATH = "/v1/traces"


def trace(
    files: Files = None,
    execution: Execution = None,
    org: Owner = "dev",
    otlp: Annotated[
        str | None, typer.Option(metavar="URL", help="A collector to send them to, such as http://127.0.0.1:4318.")
    ] = None,
    header: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What the collector wants; may be repeated.")
    ] = None,
    service: Annotated[str, typer.Option(help="The name of the service that the spans are of.")] = "flowstrand",
    as_json: AsJson = False,
    stack: StackName = None,
    data: DataFolder = None,
) -> None:
    """Tell executions as traces: tasks, attempts, timers and children as spans, whose ids are the same each time.

    Without --otlp, what would be sent is written as JSON, a line for each execution.

    Examples:
        flowstrand trace --execution 01JDX5K7Q2ZB4M8N0P3R6T9V1W --stack flowstrand --otlp http://127.0.0.1:4318
        flowstrand trace order.jsonl
    """
    histories = recorded.chosen(files, execution, org, stack, data)
    from flowstrand.operations.refusals import refusals_told
    from flowstrand.operations.tracing import traces_of
    from flowstrand.views.span import otlp_request

    headers = pairs(header, "--header")
    with told_on_one_line(as_json=as_json), refusals_told():
        traces, spans = 0, 0
        for told in traces_of(histories):
            request = otlp_request(told, service=service)
            if otlp is None:
                typer.echo(json.dumps(request, separators=(",", ":")))
            elif told:
                _send(otlp, headers, request)
            traces, spans = traces + 1, spans + len(told)
        text = f"{traces} executions, {spans} spans"
        if otlp is None:
            typer.echo(text, err=True)
        else:
            Output(as_json=as_json).said({"executions": traces, "spans": spans}, text)


def _send(url: str, headers: dict[str, str], request: JsonObject) -> None:
    """Post it to a collector.

    Raises:
        Unavailable: it was not taken.
    """
    import httpx2

    target = url if url.rstrip("/").endswith(_PATH) else url.rstrip("/") + _PATH
    try:
        answer = httpx2.post(target, json=request, headers=headers, timeout=_PATIENCE_S)
    except httpx2.TransportError as error:
        raise Unavailable(f"{target} cannot be reached: {error}", code="UNREACHABLE") from error
    if not answer.is_success:
        raise Unavailable(f"{target} answered {answer.status_code}", code="UNREACHABLE")
