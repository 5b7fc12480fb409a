"""`StreamTicket`: what a browser may show in place of a key, and the request for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import is_standalone_task
from flowstrand.errors import InvalidDefinition
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.duration import Duration, to_positive_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTicket:
    """A ticket. Hand it to the page that it is for, and keep it out of logs.

    Attributes:
        ticket: for `?ticket=`.
        scope: what it reads: `execution`, `task`, `feed` or `channel`.
        id: which of them; None for the feed.
        expires_at: RFC 3339; until then it opens streams, and one that is open goes on.
        body: what the API said.
    """

    ticket: str = field(repr=False)
    scope: str
    id: str | None
    expires_at: str
    body: JsonObject = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> StreamTicket:
        """From the API's JSON."""
        id = body.get("id")
        return cls(
            ticket=str(body["ticket"]),
            scope=str(body["scope"]),
            id=None if id is None else str(id),
            expires_at=str(body["expiresAt"]),
            body=dict(body),
        )


def create(to: Connection, id: str | None, channel: str | None, ttl: Duration | None) -> Call:
    """Ask for a ticket.

    Raises:
        InvalidDefinition: both an id and a channel are given, or the time to live is not more than 0.
    """
    body = _scope(id, channel)
    if ttl is not None:
        body["ttlSeconds"] = -(-to_positive_ms(ttl, "how long a ticket lasts") // 1_000)
    return Call(method="POST", path=to.path("stream-tickets"), json=body, repeatable=True)


def _scope(id: str | None, channel: str | None) -> JsonObject:
    if id is not None and channel is not None:
        raise InvalidDefinition("a ticket is for one thing: an execution, a task, a channel, or the feed")
    if channel is not None:
        return {"scope": "channel", "id": channel}
    if id is None:
        return {"scope": "feed"}
    return {"scope": "task" if is_standalone_task(id) else "execution", "id": id}
