"""Finding a channel: its row, and the newest commit of its log."""

from __future__ import annotations

from flowstrand.dataclass import dataclass
from flowstrand.engine.ids import OrgId
from flowstrand.engine.names import is_name
from flowstrand.errors import NotFound
from flowstrand.log.port import Commit
from flowstrand.service.channels import rows
from flowstrand.service.channels.rows import Channel
from flowstrand.service.channels.state import ChannelState, state_at
from flowstrand.service.container import Services


@dataclass(frozen=True, slots=True)
class Standing:
    """A channel that is there, and where it stands."""

    channel: Channel
    tail: Commit

    @property
    def sequence(self) -> int:
        """The last position."""
        return self.tail.sequence

    @property
    def state(self) -> ChannelState:
        """What the next append has to know."""
        return state_at(self.tail)


def require(services: Services, org: OrgId, name: str) -> Standing:
    """The channel of this name.

    Raises:
        NotFound: there is none, or there was (`CHANNEL_NOT_FOUND`).
    """
    return require_standing(services, require_row(services, org, name))


def require_row(services: Services, org: OrgId, name: str) -> Channel:
    """The channel of this name, whose time may have run out.

    Raises:
        NotFound: there is none (`CHANNEL_NOT_FOUND`).
    """
    channel = rows.find(services.directory, org, name) if is_name(name) else None
    if channel is None:
        raise not_found()
    return channel


def require_standing(services: Services, channel: Channel) -> Standing:
    """Where a channel stands that has a row.

    Raises:
        NotFound: its time has run out (`CHANNEL_NOT_FOUND`).
    """
    found = of(services, channel)
    if found is None:
        raise not_found()
    return found


def of(services: Services, channel: Channel) -> Standing | None:
    """Where a channel stands that has a row; None if its time has run out."""
    tail = services.log.tail(channel.key)
    if tail is None or tail.expires_at_ms is not None or has_lapsed(services, channel, tail):
        return None
    return Standing(channel, tail)


def has_lapsed(services: Services, channel: Channel, tail: Commit) -> bool:
    """Whether its time has run out."""
    lapses_at_ms = lapses(services, channel, tail)
    return lapses_at_ms is not None and lapses_at_ms <= services.clock.now_ms()


def lapses(services: Services, channel: Channel, tail: Commit) -> int | None:
    """When its time runs out; None for never. That it was read is asked for only where it matters."""
    lapses_at_ms = channel.lapses_at_ms(tail.written_at_ms)
    if lapses_at_ms is None or channel.ttl_s is None or lapses_at_ms > services.clock.now_ms():
        return lapses_at_ms
    return channel.lapses_at_ms(max(tail.written_at_ms, rows.used_at_ms(services.directory, channel)))


def not_found() -> NotFound:
    """What is said of names without a channel, and of another org's."""
    return NotFound("there is no such channel", code="CHANNEL_NOT_FOUND")
