"""`flowstrand channel`: streams that anybody may append to and read."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.text import Text

from flowstrand.cli.durations import seconds_or_none
from flowstrand.cli.on_server import Session, on_server

if TYPE_CHECKING:
    from flowstrand.client import ChannelPage
    from flowstrand.client.channel_calls import ChannelOptions
    from flowstrand.jsonvalue import JsonValue

_JSON = "application/json"

ChannelName: TypeAlias = Annotated[str, typer.Argument(metavar="CHANNEL", help="Its name.")]
ContentType: TypeAlias = Annotated[str, typer.Option("--type", metavar="TYPE", help="What it holds.")]
Offset: TypeAlias = Annotated[
    str, typer.Option(help="Where to begin: an offset that was printed, -1 for the beginning, now for the end.")
]


@on_server
def create(
    session: Session,
    channel: ChannelName,
    content_type: ContentType = _JSON,
    ttl: Annotated[
        str | None, typer.Option(metavar="TIME", help="It ends when nobody has used it for so long: 90s, 2h.")
    ] = None,
) -> None:
    """Make a channel, or find the one that was made the same way.

    Examples:
        flowstrand channel create chat
        flowstrand channel create build-42 --type text/plain --ttl 2h
    """
    options: ChannelOptions = {"content_type": content_type}
    if (seconds := seconds_or_none(ttl, "--ttl")) is not None:
        options["ttl"] = seconds
    session.out.one(session.client.channels.create(channel, **options).body)


@on_server
def append(
    session: Session,
    channel: ChannelName,
    content: Annotated[str | None, typer.Argument(help="JSON, or text; stdin without it.")] = None,
    content_type: ContentType = _JSON,
) -> None:
    """Append to a channel. Of a JSON array, each element is a message.

    Examples:
        flowstrand channel append chat '{"said": "hello"}'
        flowstrand channel append build-42 --type text/plain < build.log
    """
    body = sys.stdin.buffer.read() if content is None else content.encode()
    offset = session.client.channels.append_bytes(channel, body, content_type)
    session.out.said({"offset": offset}, offset)


@on_server
def close(session: Session, channel: ChannelName) -> None:
    """Let nothing follow in a channel; it stays readable.

    Examples:
        flowstrand channel close chat
    """
    offset = session.client.channels.close(channel)
    session.out.said({"offset": offset}, offset)


@on_server
def get(session: Session, channel: ChannelName) -> None:
    """Show what a channel holds, where it ends, and whether it is closed.

    Examples:
        flowstrand channel get chat
    """
    session.out.one(session.client.channels.get(channel).body)


@on_server
def read(session: Session, channel: ChannelName, offset: Offset = "-1") -> None:
    """Print what is in a channel now, a line for each JSON message, anything else as it is.

    Examples:
        flowstrand channel read chat
        flowstrand channel read build-42 > build.log
    """
    up_to_date = False
    while not up_to_date:
        page = session.client.channels.read(channel, offset)
        _show(session, page)
        offset, up_to_date = page.offset, page.is_up_to_date


@on_server
def tail(session: Session, channel: ChannelName, offset: Offset = "-1") -> None:
    """Follow a channel until it is closed.

    Examples:
        flowstrand channel tail chat
        flowstrand channel tail chat --offset now
    """
    for page in session.client.channels.follow(channel, offset):
        _show(session, page)


@on_server
def delete(session: Session, channel: ChannelName) -> None:
    """Remove a channel and what is in it.

    Examples:
        flowstrand channel delete chat
    """
    session.client.channels.delete(channel)
    session.out.said({"deleted": channel}, f"deleted {channel}")


def _show(session: Session, page: ChannelPage) -> None:
    if page.content_type.partition(";")[0].strip().lower() == _JSON:
        for message in page.messages:
            session.out.item(_shown(page, message), Text(json.dumps(message, ensure_ascii=False)))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(page.content)
    sys.stdout.buffer.flush()


def _shown(page: ChannelPage, message: JsonValue) -> dict[str, JsonValue]:
    """A message for programs, which can read on behind the page that it is in."""
    return {"message": message, "nextOffset": page.offset}
