"""`flowstrand signal`, `cancel` and `retry`: tell executions something."""

from __future__ import annotations

from typing import Annotated

import typer

from flowstrand.cli.durations import seconds_or_none
from flowstrand.cli.exits import Exit
from flowstrand.cli.json_option import parsed
from flowstrand.cli.on_server import Session, on_server
from flowstrand.cli.options import ExecutionId, RequestId, Timeout, Value, Wait
from flowstrand.cli.waiting import tell_end, wait_for_end


@on_server
def signal(
    session: Session,
    execution_id: ExecutionId,
    name: Annotated[str, typer.Argument(metavar="SIGNAL", help="The signal's name.")],
    value: Value = "null",
    request_id: RequestId = None,
) -> None:
    """Send a signal and print the sequence of its event.

    Examples:
        flowstrand signal 01JDX5K7Q2ZB4M8N0P3R6T9V1W approve --value '{"by": "ada"}'
    """
    carried = parsed(value, "--value")
    sequence = session.client.signal(execution_id, name, carried, request_id=request_id)
    session.out.said({"signalEventSequence": sequence}, sequence)


@on_server
def cancel(
    session: Session,
    execution_id: ExecutionId,
    reason: Annotated[str | None, typer.Option(help="For the log and for the workflow's code.")] = None,
    cascade: Annotated[bool, typer.Option(help="Ask its children as well.")] = True,
    force: Annotated[bool, typer.Option("--force", help="End it now, without running its code.")] = False,
    request_id: RequestId = None,
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Ask an execution to end and print how it stands now; with --wait, how it ended: 0 if it was cancelled, else 1.

    Examples:
        flowstrand cancel 01JDX5K7Q2ZB4M8N0P3R6T9V1W --reason "the customer changed her mind" --wait
    """
    timeout_s = seconds_or_none(timeout, "--timeout")
    session.client.cancel(execution_id, reason=reason, cascade=cascade, force=force, request_id=request_id)
    now = wait_for_end(session, execution_id, timeout_s) if wait else session.client.get(execution_id)
    session.out.said(now.body, now.status)
    if wait and now.status != "CANCELLED":
        raise typer.Exit(Exit.FAILED)


@on_server
def retry(
    session: Session,
    execution_id: ExecutionId,
    reason: Annotated[str | None, typer.Option(help="For the log.")] = None,
    request_id: RequestId = None,
    wait: Wait = False,
    timeout: Timeout = None,
) -> None:
    """Have another execution go on from the history of a failed one, and print its id; with --wait, its result.

    What was done is kept; what failed last is done again.

    Examples:
        flowstrand retry 01JDX5K7Q2ZB4M8N0P3R6T9V1W --reason "the bank is back" --wait
    """
    timeout_s = seconds_or_none(timeout, "--timeout")
    begun = session.client.retry(execution_id, reason=reason, request_id=request_id)
    if wait:
        tell_end(session, begun.id, timeout_s)
    else:
        session.out.said(begun.started, begun.id)
