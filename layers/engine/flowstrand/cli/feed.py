"""`flowstrand feed` and `ticket`: everything that happens in an org, and letting a page see a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flowstrand.cli.durations import seconds_or_none
from flowstrand.cli.event_line import event_line
from flowstrand.cli.following import Types
from flowstrand.cli.on_server import Session, on_server
from flowstrand.engine.schema import rfc3339
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from flowstrand.client import FeedEvent


@on_server
def feed(
    session: Session,
    after: Annotated[
        str, typer.Option(metavar="POSITION", help="Begin behind this position; now for only what comes.")
    ] = "0",
    types: Types = None,
) -> None:
    """Follow everything that happens in the org, over as many connections as it takes, until it is interrupted.

    Examples:
        flowstrand feed --after now --type 'workflow.*' --type task.failed
        flowstrand feed --after 1042 --json
    """
    for event in session.client.feed(after=_position(after), types=types or ()):
        line = event_line(event.position, event.type, event.timestamp_ms, event.data, prefix=f"{event.log} ")
        session.out.item(_shown(event), line)


@on_server
def ticket(
    session: Session,
    id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Of an execution or a standalone task; none for the feed.")
    ] = None,
    channel: Annotated[str | None, typer.Option(help="The channel that it is for instead.")] = None,
    ttl: Annotated[str | None, typer.Option(metavar="DURATION", help="From 1m to 15m; 5m by default.")] = None,
) -> None:
    """Print a stream ticket: with it, a page can follow one thing for a while without a key.

    Examples:
        flowstrand ticket 01JDX5K7Q2ZB4M8N0P3R6T9V1W --ttl 10m
        flowstrand ticket
    """
    made = session.client.stream_ticket(id, channel=channel, ttl=seconds_or_none(ttl, "--ttl"))
    session.out.said(made.body, made.ticket)


def _position(text: str) -> int | Literal["now"]:
    if text == "now":
        return "now"
    if not (text.isascii() and text.isdecimal()):
        raise typer.BadParameter("a position is a whole number, or now", param_hint="--after")
    return int(text)


def _shown(event: FeedEvent) -> JsonObject:
    return {
        "position": event.position,
        "log": event.log,
        "sequence": event.sequence,
        "type": event.type,
        "timestamp": rfc3339(event.timestamp_ms),
        "data": event.data,
    }
