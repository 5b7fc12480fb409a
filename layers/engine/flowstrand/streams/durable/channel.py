"""`ChannelSource`: a channel, read under the protocol."""

from __future__ import annotations

from flowstrand.engine.ids import OrgId
from flowstrand.engine.schema import rfc3339
from flowstrand.service.channels import reading, standing
from flowstrand.service.channels.rows import Channel
from flowstrand.service.channels.standing import Standing
from flowstrand.service.container import Services
from flowstrand.streams.durable.offsets import Offsets
from flowstrand.streams.durable.page_reader import PageReader
from flowstrand.streams.durable.source import End, Page, Reader


class ChannelSource:
    """One channel, as found; to read it is to use it, which keeps it alive."""

    def __init__(self, services: Services, found: Standing) -> None:
        self._services = services
        self._found = found

    @classmethod
    def open(cls, services: Services, org: OrgId, name: str) -> ChannelSource:
        """The channel of this name.

        Raises:
            NotFound: there is none (`CHANNEL_NOT_FOUND`).
        """
        return cls(services, standing.require(services, org, name))

    @property
    def id(self) -> str:
        """See `Source.id`."""
        return incarnation(self._found.channel)

    @property
    def content_type(self) -> str:
        """See `Source.content_type`."""
        return self._found.channel.content_type

    @property
    def offsets(self) -> Offsets:
        """See `Source.offsets`."""
        return offsets_of(self._found.channel)

    def about(self) -> dict[str, str]:
        """See `Source.about`."""
        return lifetime_headers(self._found.channel)

    def end(self) -> End:
        """See `Source.end`."""
        return End(position=self._found.sequence, closed=self._found.state.is_closed)

    def page(self, after: int) -> Page:
        """See `Source.page`."""
        reading.note_read(self._services, self._found)
        found = reading.page(self._services, self._found.channel, after=after)
        return Page(
            bodies=found.bodies,
            next_after=found.next_after,
            up_to_date=found.up_to_date,
            is_final=found.is_final,
        )

    def reader(self, after: int) -> Reader:
        """See `Source.reader`."""
        return PageReader(self._services, self._found.channel.key, self.page, after=after)


def incarnation(channel: Channel) -> str:
    """Tells a channel from others that have had its name, or will have it."""
    return channel.log.lstrip("@")


def offsets_of(channel: Channel) -> Offsets:
    """The offsets of a channel."""
    return Offsets(incarnation(channel))


def lifetime_headers(channel: Channel) -> dict[str, str]:
    """What a channel was told of its end when it was made."""
    headers: dict[str, str] = {}
    if channel.ttl_s is not None:
        headers["stream-ttl"] = str(channel.ttl_s)
    if channel.expires_at_ms is not None:
        headers["stream-expires-at"] = rfc3339(channel.expires_at_ms)
    return headers
