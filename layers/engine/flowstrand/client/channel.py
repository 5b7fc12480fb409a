"""What the server says of channels."""

from __future__ import annotations

import json

import httpx2

from flowstrand.dataclass import dataclass
from flowstrand.errors import Unavailable
from flowstrand.jsonvalue import JsonObject, JsonValue

BEGINNING, NOW = "-1", "now"
"""Where reading begins that has no offset yet: with the first, or with what comes next."""


@dataclass(frozen=True, slots=True)
class Producer:
    """Who appends, so that nothing is appended twice however often a request is repeated.

    Attributes:
        id: the same for as long as it is the same program.
        epoch: one more whenever that begins again; it fences whoever still uses the one before.
        sequence: of this request in the epoch, from 0.
    """

    id: str
    epoch: int
    sequence: int

    def next(self) -> Producer:
        """The next request's."""
        return Producer(self.id, self.epoch, self.sequence + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelInfo:
    """Where a channel stands.

    Attributes:
        offset: where it ends now.
        is_closed: nothing follows.
        ttl_s, expires_at: what it was made with; None where that is nothing, or was not told.
    """

    name: str
    content_type: str
    offset: str
    is_closed: bool
    ttl_s: int | None = None
    expires_at: str | None = None

    @classmethod
    def of(cls, name: str, response: httpx2.Response) -> ChannelInfo:
        """What the head of an answer says."""
        ttl_s = response.headers.get("Stream-TTL")
        return cls(
            name=name,
            content_type=response.headers.get("Content-Type", ""),
            offset=offset_of(response),
            is_closed=_is(response, "Stream-Closed"),
            ttl_s=None if ttl_s is None else int(ttl_s),
            expires_at=response.headers.get("Stream-Expires-At"),
        )

    @property
    def body(self) -> JsonObject:
        """As JSON."""
        found: JsonObject = {
            "channel": self.name,
            "contentType": self.content_type,
            "offset": self.offset,
            "closed": self.is_closed,
            "ttlSeconds": self.ttl_s,
            "expiresAt": self.expires_at,
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPage:
    """Consecutive parts of a channel.

    Attributes:
        content: as it was appended; of a JSON channel, an array of its messages.
        offset: where to read on.
        is_up_to_date: there was no more when it was read.
        is_closed: there never will be.
        cursor: to be sent with the next request of a reader that waits.
    """

    content: bytes
    content_type: str
    offset: str
    is_up_to_date: bool
    is_closed: bool
    cursor: str | None

    @classmethod
    def of(cls, response: httpx2.Response) -> ChannelPage:
        """What an answer holds."""
        return cls(
            content=response.content,
            content_type=response.headers.get("Content-Type", ""),
            offset=offset_of(response),
            is_up_to_date=_is(response, "Stream-Up-To-Date"),
            is_closed=_is(response, "Stream-Closed"),
            cursor=response.headers.get("Stream-Cursor"),
        )

    @property
    def messages(self) -> list[JsonValue]:
        """The messages of a JSON channel.

        Raises:
            ValueError: it is none.
        """
        found: list[JsonValue] = json.loads(self.content) if self.content else []
        return found


def offset_of(response: httpx2.Response) -> str:
    """`Stream-Next-Offset`.

    Raises:
        Unavailable: the answer has none, so it is not this protocol's.
    """
    offset: str | None = response.headers.get("Stream-Next-Offset")
    if offset is None:
        raise Unavailable(f"not an answer of this API: {response.url}", code="UNEXPECTED_ANSWER")
    return offset


def _is(response: httpx2.Response, name: str) -> bool:
    return bool(response.headers.get(name, "").lower() == "true")
