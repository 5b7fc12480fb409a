"""`FeedSource`: an org's feed, read under the protocol. A message is an event of one of the org's logs, and which log that is."""

from __future__ import annotations

import json

from flowstrand.engine.ids import OrgId
from flowstrand.service import feed
from flowstrand.service.container import Services
from flowstrand.streams.durable.offsets import Offsets
from flowstrand.streams.durable.page_reader import PageReader
from flowstrand.streams.durable.source import JSON, End, Page, Reader
from flowstrand.views.feed_item import feed_item


class FeedSource:
    """One org's feed, which is never closed. It begins with the oldest that is kept."""

    id = "feed"
    content_type = JSON
    offsets = Offsets()

    def __init__(self, services: Services, org: OrgId) -> None:
        self._services = services
        self._org = org

    def about(self) -> dict[str, str]:
        """See `Source.about`: nothing."""
        return {}

    def end(self) -> End:
        """See `Source.end`."""
        return End(position=feed.end(self._services, self._org), closed=False)

    def page(self, after: int) -> Page:
        """See `Source.page`."""
        found = feed.read(self._services, self._org, after=after)
        items = (feed_item(one.key, one.event, sequence=one.sequence) for one in found.events)
        return Page(
            bodies=tuple(json.dumps(item, separators=(",", ":")).encode() for item in items),
            next_after=found.next_after,
            up_to_date=found.up_to_date,
            is_final=False,
        )

    def reader(self, after: int) -> Reader:
        """See `Source.reader`."""
        return PageReader(self._services, feed.key_of(self._org), self.page, after=after)
