"""Requests of the routes of channels, shared by the asynchronous and the synchronous client."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TypedDict, Unpack
from urllib.parse import quote

from flowstrand.client.call import PATIENCE_S, Call
from flowstrand.client.channel import ChannelPage, Producer
from flowstrand.client.connection import Connection
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.duration import Duration, to_positive_ms

JSON = "application/json"
_LONGEST_WAIT_S = 20.0


class ChannelOptions(TypedDict, total=False):
    """How a channel is made.

    Attributes:
        content_type: what it holds; JSON messages by default.
        ttl: it ends when nobody has used it for so long, in whole seconds.
        expires_at: it ends then, whoever uses it; an aware time. Not beside `ttl`.
        content: what it begins with.
        is_closed: nothing is to follow that.
    """

    content_type: str
    ttl: Duration
    expires_at: datetime
    content: bytes
    is_closed: bool


class AppendOptions(TypedDict, total=False):
    """How something is appended.

    Attributes:
        seq: greater than that of every append before, byte by byte, or the append is refused.
        producer: who appends. With it the request is repeated where its answer is lost; without it, it is not.
        closes: nothing is to follow.
    """

    seq: str
    producer: Producer
    closes: bool


def create(to: Connection, name: str, **options: Unpack[ChannelOptions]) -> Call:
    """Make a channel; repeating it finds the one that was made.

    Raises:
        TypeError: there is no such option.
        ValueError: `expires_at` has no time zone.
    """
    _require_known(options.keys() - ChannelOptions.__annotations__.keys())
    headers = {"Content-Type": options.get("content_type", JSON)}
    if (ttl := options.get("ttl")) is not None:
        headers["Stream-TTL"] = str(to_positive_ms(ttl, "the time to live of a channel") // 1_000)
    if (expires_at := options.get("expires_at")) is not None:
        if expires_at.tzinfo is None:
            raise ValueError("the time at which a channel ends needs a time zone")
        headers["Stream-Expires-At"] = expires_at.isoformat()
    if options.get("is_closed"):
        headers["Stream-Closed"] = "true"
    return Call(
        method="PUT", path=_path(to, name), headers=headers, content=options.get("content", b""), repeatable=True
    )


def messages(to: Connection, name: str, values: tuple[JsonValue, ...], **options: Unpack[AppendOptions]) -> Call:
    """Append JSON messages, all of them or none."""
    content = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return append(to, name, content, JSON, **options)


def append(
    to: Connection, name: str, content: bytes, content_type: str | None, **options: Unpack[AppendOptions]
) -> Call:
    """Append bytes, or close.

    Raises:
        TypeError: there is no such option.
    """
    _require_known(options.keys() - AppendOptions.__annotations__.keys())
    headers = {} if content_type is None else {"Content-Type": content_type}
    if (seq := options.get("seq")) is not None:
        headers["Stream-Seq"] = seq
    if options.get("closes"):
        headers["Stream-Closed"] = "true"
    producer = options.get("producer")
    if producer is not None:
        headers |= {
            "Producer-Id": producer.id,
            "Producer-Epoch": str(producer.epoch),
            "Producer-Seq": str(producer.sequence),
        }
    is_close = not content
    return Call(
        method="POST",
        path=_path(to, name),
        headers=headers,
        content=content,
        repeatable=producer is not None or is_close,
    )


def find(to: Connection, name: str) -> Call:
    """Where a channel stands."""
    return Call(method="HEAD", path=_path(to, name), repeatable=True)


def read(to: Connection, name: str, offset: str) -> Call:
    """What follows an offset."""
    return Call(method="GET", path=_path(to, name), params={"offset": offset}, repeatable=True)


def follow(to: Connection, name: str, offset: str, page: ChannelPage | None) -> Call:
    """The same, or what comes next; `page` is the last answer."""
    params = {"offset": offset, "live": "long-poll"}
    if page is not None and page.cursor is not None:
        params["cursor"] = page.cursor
    return Call(
        method="GET",
        path=_path(to, name),
        params=params,
        repeatable=True,
        timeout_s=_LONGEST_WAIT_S + PATIENCE_S,
    )


def delete(to: Connection, name: str) -> Call:
    """Remove a channel. Not repeatable: there could be another of its name by then."""
    return Call(method="DELETE", path=_path(to, name), repeatable=False)


def _path(to: Connection, name: str) -> str:
    return f"/v1/stream/orgs/{quote(to.org, safe='')}/channels/{quote(name, safe='')}"


def _require_known(unknown: set[str]) -> None:
    if unknown:
        raise TypeError(f"there is no option {', '.join(sorted(unknown))}")
