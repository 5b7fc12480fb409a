"""`flowstrand start` and `signal-with-start`: begin executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flowstrand.cli.durations import seconds_or_none
from flowstrand.cli.json_option import parsed
from flowstrand.cli.on_server import Session, on_server
from flowstrand.cli.options import (
    ExecutionTimeout,
    IdempotencyTtl,
    Input,
    Metadata,
    Queue,
    RequestId,
    Timeout,
    Value,
    Version,
    Wait,
    WorkflowKind,
    pairs,
)
from flowstrand.cli.waiting import tell_end
from flowstrand.jsonvalue import JsonValue

if TYPE_CHECKING:
    from flowstrand.client import SyncHandle
    from flowstrand.client.start_options import ExecutionOptions, StartOptions


@on_server
def start(
    session: Session,
    kind: WorkflowKind,
    input: Input = "null",
    queue: Queue = "default",
    version: Version = None,
    metadata: Metadata = None,
    execution_timeout: ExecutionTimeout = None,
    idempotency_key: Annotated[
        str | None,
        typer.Option(help="A name for what is started: while it stands for an execution, that is meant."),
    ] = None,
    idempotency_ttl: IdempotencyTtl = None,
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Start an execution, once where it is given a key, and print its id; with --wait, its result.

    Examples:
        flowstrand start order --input '{"item": "hat"}'
        flowstrand start order --input @order.json --idempotency-key order-1042 --wait
    """
    options: StartOptions = {
        **_options(queue, version, metadata, execution_timeout),
        "idempotency_key": idempotency_key,
        "idempotency_key_ttl": seconds_or_none(idempotency_ttl, "--idempotency-ttl"),
    }
    timeout_s = seconds_or_none(timeout, "--timeout")
    handle = session.client.start(kind, parsed(input, "--input"), **options)
    _tell(session, handle, wait, timeout_s)


@on_server
def signal_with_start(
    session: Session,
    kind: WorkflowKind,
    workflow_id: Annotated[
        str, typer.Argument(metavar="KEY", help="The idempotency key that names the execution.")
    ],
    name: Annotated[str, typer.Argument(metavar="SIGNAL", help="The signal's name.")],
    value: Value = "null",
    input: Input = "null",
    queue: Queue = "default",
    version: Version = None,
    metadata: Metadata = None,
    execution_timeout: ExecutionTimeout = None,
    request_id: RequestId = None,
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Signal the open execution of a key, or start one that begins with the signal, and print its id.

    Examples:
        flowstrand signal-with-start conversation chat-7 message --value '"hello"' --input '"ada"'
    """
    options = _options(queue, version, metadata, execution_timeout)
    timeout_s = seconds_or_none(timeout, "--timeout")
    carried, given = parsed(value, "--value"), parsed(input, "--input")
    handle = session.client.signal_with_start(
        kind, workflow_id, name, carried, input=given, request_id=request_id, **options
    )
    _tell(session, handle, wait, timeout_s)


def _options(
    queue: str, version: str | None, metadata: list[str] | None, execution_timeout: str | None
) -> ExecutionOptions:
    said: dict[str, JsonValue] = {**pairs(metadata, "--metadata")}
    return {
        "queue": queue,
        "version": version,
        "metadata": said or None,
        "execution_timeout": seconds_or_none(execution_timeout, "--execution-timeout"),
    }


def _tell(session: Session, handle: SyncHandle[object], wait: bool, timeout_s: float | None) -> None:
    if wait:
        tell_end(session, handle.id, timeout_s)
    else:
        session.out.said(handle.started, handle.id)
