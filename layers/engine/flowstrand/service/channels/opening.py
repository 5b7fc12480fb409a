"""Making a channel: `PUT`. Repeating it finds the channel that it made."""

from __future__ import annotations

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import PreconditionFailed
from flowstrand.engine.ids import ExecutionId, OrgId, channel_log_id
from flowstrand.engine.names import is_name
from flowstrand.errors import Conflict, InvalidInput, Unavailable
from flowstrand.log.port import LogKey
from flowstrand.service import append
from flowstrand.service.channels import abandoned, rows, standing
from flowstrand.service.channels.commits import body_of, commit_of
from flowstrand.service.channels.content import media_type
from flowstrand.service.channels.rows import Channel
from flowstrand.service.channels.standing import Standing
from flowstrand.service.channels.state import ChannelState
from flowstrand.service.container import Services

_TRIES = 8
_RANDOM_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A channel as it is to be.

    Attributes:
        body: what it begins with.
        ttl_s, expires_at_ms: see `Channel`; not both.
        is_closed: nothing is to follow what it begins with.
    """

    content_type: str
    body: bytes = b""
    ttl_s: int | None = None
    expires_at_ms: int | None = None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """The channel, and whether it is a new one."""

    standing: Standing
    is_new: bool


def open_channel(services: Services, org: OrgId, name: str, wanted: Wanted) -> Opened:
    """The channel of this name, made if there is none.

    Its log begins before its row is written, so that a channel is never there without what it begins with.

    Raises:
        Conflict: there is one that was made with something else (`CHANNEL_EXISTS`).
        InvalidInput: this can be no channel's name.
        InvalidInput, PayloadTooLarge: the body cannot be taken; see `commits.body_of`.
        Unavailable: the name changes hands too fast (`BUSY`).
    """
    if not is_name(name):
        raise InvalidInput("this cannot be the name of a channel")
    fresh: Standing | None = None
    for _ in range(_TRIES):
        row = rows.find(services.directory, org, name)
        found = None if row is None else standing.of(services, row)
        if found is not None and fresh is not None and found.channel.log == fresh.channel.log:
            return Opened(found, is_new=True)  # its row was written, and the answer lost
        if found is not None:
            _require_same(found, wanted)
            return Opened(found, is_new=False)
        fresh = fresh or _begun(services, org, name, wanted)
        if row is not None:
            abandoned.remember(services, row.key)
        try:
            channel = rows.put(services.directory, fresh.channel, instead_of=row)
        except PreconditionFailed:
            continue
        return Opened(Standing(channel, fresh.tail), is_new=True)
    raise Unavailable(f"channel {name} is being made and removed; try again", code="BUSY", retry_after_s=1)


def _begun(services: Services, org: OrgId, name: str, wanted: Wanted) -> Standing:
    """A channel with a log, and no row yet; if it never gets one, the janitor finds it."""
    body = body_of(services, org, wanted.content_type, wanted.body)
    now_ms = services.clock.now_ms()
    log: ExecutionId = channel_log_id(now_ms, services.random_bytes(_RANDOM_BYTES))
    key = LogKey(org, log)
    state = ChannelState(name=name, is_closed=wanted.is_closed, size=body.size, messages=body.messages)
    commit = commit_of(services, key, sequence=1, body=body, state=state)
    abandoned.remember(services, key)
    append.put(services, commit)
    channel = Channel(
        org=org,
        name=name,
        log=log,
        content_type=wanted.content_type,
        ttl_s=wanted.ttl_s,
        expires_at_ms=wanted.expires_at_ms,
        created_at_ms=now_ms,
    )
    return Standing(channel, commit)


def _require_same(found: Standing, wanted: Wanted) -> None:
    channel = found.channel
    same = (
        media_type(channel.content_type) == media_type(wanted.content_type)
        and channel.ttl_s == wanted.ttl_s
        and channel.expires_at_ms == wanted.expires_at_ms
        and found.state.is_closed == wanted.is_closed
    )
    if not same:
        raise Conflict("there is a channel of this name that was made otherwise", code="CHANNEL_EXISTS")
