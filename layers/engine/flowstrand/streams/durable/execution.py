"""`ExecutionSource`: an execution's log, read under the protocol. A message is an event, as its history shows it."""

from __future__ import annotations

import json

from flowstrand.log.port import LogKey
from flowstrand.service import history
from flowstrand.service.container import Services
from flowstrand.service.history import HistoryPage
from flowstrand.streams.durable.offsets import Offsets
from flowstrand.streams.durable.source import JSON, End, Page, Reader
from flowstrand.streams.reader import LogReader
from flowstrand.views.history_item import history_item


class ExecutionSource:
    """One execution's log. It is closed when the execution has ended."""

    content_type = JSON
    offsets = Offsets()

    def __init__(self, services: Services, key: LogKey) -> None:
        self._services = services
        self._key = key

    @property
    def id(self) -> str:
        """See `Source.id`."""
        return self._key.execution_id

    def about(self) -> dict[str, str]:
        """See `Source.about`: nothing."""
        return {}

    def end(self) -> End:
        """See `Source.end`. An end is known even where what came before it is kept no more."""
        found = history.tail(self._services, self._key.org, self._key.execution_id)
        return End(position=found.sequence, closed=found.closed)

    def page(self, after: int) -> Page:
        """See `Source.page`."""
        return _page(history.page(self._services, self._key.org, self._key.execution_id, after=after))

    def reader(self, after: int) -> Reader:
        """See `Source.reader`."""
        return _Reader(LogReader(self._services, self._key, after=after))


class _Reader:
    """The reader of all transports, and its pages as the protocol has them."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    async def next_page(self, *, until_ms: int) -> Page | None:
        """See `Reader.next_page`."""
        found = await self._reader.next_page(until_ms=until_ms)
        return None if found is None else _page(found)


def _page(found: HistoryPage) -> Page:
    return Page(
        bodies=tuple(json.dumps(history_item(event), separators=(",", ":")).encode() for event in found.events),
        next_after=found.next_after,
        up_to_date=found.up_to_date,
        is_final=found.is_final,
    )
