"""Which channels there are: directory rows.

    channel#{org}#{name}      row    the channel: its log, what it was made with
    channel-use#{org}#{log}   use    when a channel with a time to live was last read

The row is what makes a channel: one conditional write makes it, replaces it or removes it, and its log is told apart from all
before and after it under the same name by an id of its own. That a channel was read is kept apart, so that readers never stand in
the way of that; that it was appended to, its log tells.
"""

from __future__ import annotations

from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.directory.port import Directory, Item, Put
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey

_ROW, _USE = "row", "use"
_KEPT_MS = 86_400_000
"""For how long after its channel's time the use of it is kept."""
_GRACE = 10
"""A channel that is used lives for its time to live and at most a tenth of it: less often is its use not written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel, as it was made.

    Attributes:
        log: its log's id; another channel of this name has had or will have another.
        ttl_s: it ends when nobody has read it or appended to it for so long; None for never.
        expires_at_ms: when it ends, whoever uses it; None for never.
        version: of its row.
    """

    org: OrgId
    name: str
    log: ExecutionId
    content_type: str
    ttl_s: int | None
    expires_at_ms: int | None
    created_at_ms: int
    version: int = 0

    @property
    def key(self) -> LogKey:
        """Names its log."""
        return LogKey(self.org, self.log)

    @property
    def renewed_every_ms(self) -> int:
        """How often it is written down that it is used, at most."""
        return (self.ttl_s or 0) * 1_000 // _GRACE

    def lapses_at_ms(self, used_at_ms: int) -> int | None:
        """When its time runs out, given when it was used last; None for never."""
        if self.ttl_s is None:
            return self.expires_at_ms
        return used_at_ms + self.ttl_s * 1_000 + self.renewed_every_ms


def find(directory: Directory, org: OrgId, name: str) -> Channel | None:
    """The channel of this name, whose time may have run out."""
    item = directory.get(_partition(org, name), _ROW)
    return None if item is None else _parse(org, name, item)


def put(directory: Directory, channel: Channel, *, instead_of: Channel | None) -> Channel:
    """Make `channel`, in the place of one of the same name or of none.

    Raises:
        PreconditionFailed: the name stands for something else by now.
    """
    write = putting(channel, instead_of=instead_of)
    item = directory.put(write.partition, write.key, write.data, expect=write.expect)
    return _parse(channel.org, channel.name, item)


def putting(channel: Channel, *, instead_of: Channel | None) -> Put:
    """The write that `put` is, to be done together with others."""
    data: JsonObject = {
        "log": channel.log,
        "contentType": channel.content_type,
        "ttlS": channel.ttl_s,
        "expiresAt": channel.expires_at_ms,
        "createdAt": channel.created_at_ms,
    }
    expect = 0 if instead_of is None else instead_of.version
    return Put(partition=_partition(channel.org, channel.name), key=_ROW, data=data, expect=expect)


def remove(directory: Directory, channel: Channel) -> None:
    """The name stands for nothing any more.

    Raises:
        PreconditionFailed: it stands for something else by now.
    """
    directory.delete(_partition(channel.org, channel.name), _ROW, expect=channel.version)


def used_at_ms(directory: Directory, channel: Channel) -> int:
    """When it was last written down that the channel was read; 0 if never."""
    item = directory.get(_use_partition(channel), _USE)
    used = item.data.get("usedAt") if item else None
    return used if isinstance(used, int) else 0


def note_use(directory: Directory, channel: Channel, now_ms: int) -> None:
    """The channel is read."""
    lapses_at_ms = channel.lapses_at_ms(now_ms) or now_ms
    directory.put(_use_partition(channel), _USE, {"usedAt": now_ms}, expires_at_ms=lapses_at_ms + _KEPT_MS)


def _partition(org: OrgId, name: str) -> str:
    return f"channel#{org}#{name}"


def _use_partition(channel: Channel) -> str:
    return f"channel-use#{channel.org}#{channel.log}"


def _parse(org: OrgId, name: str, item: Item) -> Channel:
    stored: dict[str, Any] = dict(item.data)
    try:
        return Channel(
            org=org,
            name=name,
            log=ExecutionId(stored["log"]),
            content_type=stored["contentType"],
            ttl_s=stored["ttlS"],
            expires_at_ms=stored["expiresAt"],
            created_at_ms=stored["createdAt"],
            version=item.version,
        )
    except KeyError as error:
        raise LogCorrupted(f"the row of channel {name} of {org} cannot be read: {error}") from error
