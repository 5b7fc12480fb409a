"""`flowstrand events`, `tail` and `wait`: the log of an execution, and its end."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from flowstrand.cli.durations import seconds_or_none
from flowstrand.cli.event_line import event_line
from flowstrand.cli.on_server import Session, on_server
from flowstrand.cli.options import ExecutionId, Timeout
from flowstrand.cli.waiting import tell_end
from flowstrand.engine.schema import epoch_ms, rfc3339
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from flowstrand.client import StreamEvent

Types: TypeAlias = Annotated[
    list[str] | None, typer.Option("--type", metavar="TYPE", help="Only this one; may be repeated.")
]
Behind: TypeAlias = Annotated[
    str, typer.Option(metavar="POSITION", help="Begin behind this sequence; with --children, behind this cursor.")
]
WithChildren: TypeAlias = Annotated[
    bool, typer.Option("--children", help="And all that it has started, and they have.")
]
After: TypeAlias = Annotated[int, typer.Option(min=0, help="Begin behind this sequence.")]


@on_server
def events(
    session: Session,
    execution_id: ExecutionId,
    after: After = 0,
    types: Types = None,
) -> None:
    """Print the events of an execution that are there now, a line each.

    Examples:
        flowstrand events 01JDX5K7Q2ZB4M8N0P3R6T9V1W --type TASK_FAILED
        flowstrand events 01JDX5K7Q2ZB4M8N0P3R6T9V1W --json > history.jsonl
    """
    print_events(session, execution_id, after, types)


@on_server
def tail(session: Session, execution_id: ExecutionId, after: Behind = "", children: WithChildren = False) -> None:
    """Follow an execution until it ends, over as many connections as it takes.

    With its children, it is followed until all of them have ended, and theirs.

    Examples:
        flowstrand tail 01JDX5K7Q2ZB4M8N0P3R6T9V1W
        flowstrand tail 01JDX5K7Q2ZB4M8N0P3R6T9V1W --after 12 --json
        flowstrand tail 01JDX5K7Q2ZB4M8N0P3R6T9V1W --children
    """
    if children:
        follow_tree(session, execution_id, after)
    elif after and not after.isdecimal():
        raise typer.BadParameter("must be a sequence", param_hint="--after")
    else:
        follow(session, execution_id, int(after or 0))


@on_server
def wait(session: Session, execution_id: ExecutionId, timeout: Timeout = None) -> None:
    """Wait for the end of an execution and print its result; the exit status tells the outcome.

    Examples:
        flowstrand wait 01JDX5K7Q2ZB4M8N0P3R6T9V1W --timeout 5m
    """
    tell_end(session, execution_id, seconds_or_none(timeout, "--timeout"))


def print_events(session: Session, log: str, after: int, types: list[str] | None) -> None:
    """The events of an execution or of a standalone task that are there now."""
    for event in session.client.events(log, after=after, types=types or ()):
        line = event_line(event.sequence, event.type, epoch_ms(event.timestamp), event.data)
        session.out.item(asdict(event), line)


def follow(session: Session, log: str, after: int) -> None:
    """The same, and those that come, to the end."""
    for event in session.client.stream(log, after=after):
        line = event_line(event.sequence, event.type, event.timestamp_ms, event.data)
        session.out.item(_shown(event), line)


def follow_tree(session: Session, execution_id: str, after: str) -> None:
    """The events of an execution and of all its descendants, to their ends; each line begins with whose it is."""
    for event in session.client.stream_tree(execution_id, after=after):
        whose = event.execution_id.removeprefix(execution_id) or "."
        line = event_line(event.sequence, event.type, event.timestamp_ms, event.data, prefix=f"{whose:<10} ")
        shown: JsonObject = {"workflowExecutionId": event.execution_id, **_shown(event), "cursor": event.cursor}
        session.out.item(shown, line)


def _shown(event: StreamEvent) -> JsonObject:
    shown: JsonObject = {"sequence": event.sequence, "type": event.type}
    if event.timestamp_ms is not None:
        shown["timestamp"] = rfc3339(event.timestamp_ms)
    return {**shown, "data": event.data}
