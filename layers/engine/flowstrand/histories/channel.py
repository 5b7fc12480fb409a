"""`ChannelHistory`: one channel as a file holds it: what it was made with, each append, and the bodies that are too large for those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.log.port import LogKey
from flowstrand.log.records import StoredBody


@dataclass(frozen=True, slots=True)
class Sender:
    """What an idempotent producer has said of an append: who it is, its epoch, and the number within that."""

    producer: str
    epoch: int
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """One commit of a channel's log.

    Attributes:
        sequence: its position, from 1; offsets name it.
        written_at_ms: epoch milliseconds.
        id: of the commit.
        body: messages of a JSON channel, separated by commas; else bytes. Empty where it only closes, or only makes the channel.
        closes: nothing follows.
        seq: its `Stream-Seq`; None for none.
        sender: its producer; None for none.
    """

    sequence: int
    written_at_ms: int
    id: str
    body: bytes | StoredBody
    closes: bool = False
    seq: str | None = None
    sender: Sender | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMaking:
    """What a channel was made with; the same in every export of it.

    Attributes:
        key: of its log, which offsets name.
        ttl_s: see `service.channels.rows.Channel`, as for the others.
    """

    key: LogKey
    name: str
    content_type: str
    ttl_s: int | None
    expires_at_ms: int | None
    created_at_ms: int

    @property
    def org(self) -> OrgId:
        """Whose it is."""
        return self.key.org


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHistory:
    """Made by `histories.reading` and by the exporter.

    Attributes:
        appends: all of them, in order.
        payloads: by their SHA-256, in hex; the bodies that the file holds apart.
    """

    making: ChannelMaking
    appends: tuple[Append, ...]
    payloads: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def key(self) -> LogKey:
        """Names its log."""
        return self.making.key


def references_of(appends: Iterable[Append]) -> dict[str, int]:
    """The bodies that lie apart, and the bytes of each."""
    return {each.body.sha256: each.body.size for each in appends if isinstance(each.body, StoredBody)}
