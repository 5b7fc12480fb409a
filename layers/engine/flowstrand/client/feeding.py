"""Following the feed of an org, and tickets for who cannot show a key: a part of both clients."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, Generator, Iterable

import httpx2

from flowstrand.client import ticket
from flowstrand.client.base import Base, SyncBase
from flowstrand.client.call import Call
from flowstrand.client.feed import FeedCursor, FeedEvent, FeedPosition
from flowstrand.client.ticket import StreamTicket
from flowstrand.sdk.duration import Duration


class Feeding(Base):
    """The events of all of an org's executions, and stream tickets."""

    async def feed(self, *, after: FeedPosition = 0, types: Iterable[str] = ()) -> AsyncGenerator[FeedEvent]:
        """Follow the org's feed for as long as the caller does, over as many connections as it takes.

        Every event of every execution and standalone task comes once, those of one in its order; what running tasks emit does not
        come. To go on later, keep the `position` of the last event that was dealt with.

        Args:
            after: a position; 0 for all that is kept, `"now"` for only what comes.
            types: `TASK_FAILED`, `task.failed`, or `task.*` for a family; none for all.

        Raises:
            Gone: `FEED_EXPIRED`: what follows `after` is not kept any more.
            LogCorrupted: the server skipped back, or sent what is no event.
            CallerError: refused, or not reachable for too long.
        """
        cursor = FeedCursor(after, types)
        while True:
            broke = False
            try:
                response = await self._open(cursor.request(self.connection))
                try:
                    async for frame in httpx2.EventSource(response, max_event_size=None):
                        if (event := cursor.accept(frame)) is not None:
                            yield event
                finally:
                    await response.aclose()
            except httpx2.TransportError:
                broke = True
            await asyncio.sleep(cursor.pause_after(broke=broke))

    async def stream_ticket(
        self, id: str | None = None, *, channel: str | None = None, ttl: Duration | None = None
    ) -> StreamTicket:
        """A ticket that reads one thing for a while, for a page that must not see the key.

        Args:
            id: of an execution or a standalone task; neither it nor `channel` is the org's feed.
            ttl: from a minute to a quarter of an hour; five minutes by default.

        Raises:
            NotFound: there is no such execution or task.
        """
        return StreamTicket.of(await self._answer(ticket.create(self.connection, id, channel, ttl)))

    @abstractmethod
    async def _open(self, request: Call) -> httpx2.Response:
        """A successful response of which only the head has been read."""


class SyncFeeding(SyncBase):
    """The same, synchronously."""

    def feed(self, *, after: FeedPosition = 0, types: Iterable[str] = ()) -> Generator[FeedEvent]:
        """See `Client.feed`."""
        cursor = FeedCursor(after, types)
        while True:
            broke = False
            try:
                response = self._open(cursor.request(self.connection))
                try:
                    for frame in httpx2.EventSource(response, max_event_size=None):
                        if (event := cursor.accept(frame)) is not None:
                            yield event
                finally:
                    response.close()
            except httpx2.TransportError:
                broke = True
            time.sleep(cursor.pause_after(broke=broke))

    def stream_ticket(
        self, id: str | None = None, *, channel: str | None = None, ttl: Duration | None = None
    ) -> StreamTicket:
        """See `Client.stream_ticket`."""
        return StreamTicket.of(self._answer(ticket.create(self.connection, id, channel, ttl)))

    @abstractmethod
    def _open(self, request: Call) -> httpx2.Response:
        """A successful response of which only the head has been read."""
