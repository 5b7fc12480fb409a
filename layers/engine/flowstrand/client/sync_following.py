"""Following a log live, synchronously; see `following`."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing

import httpx2

from flowstrand.client import answers, call
from flowstrand.client.connection import Connection
from flowstrand.client.deadline import Deadline
from flowstrand.client.following import NO_CONTENT
from flowstrand.client.history import HistoryPage
from flowstrand.client.sender import SyncSender
from flowstrand.client.stream import StreamCursor, StreamEvent
from flowstrand.client.stream_route import StreamRoute
from flowstrand.client.watched import Watched
from flowstrand.errors import CallerError


class SyncFollowing:
    """One reader of one log."""

    def __init__(
        self, sender: SyncSender, to: Connection, id: str, cursor: StreamCursor, deadline: Deadline
    ) -> None:
        self._sender = sender
        self._to = to
        self._id = id
        self._cursor = cursor
        self._deadline = deadline
        self._route = StreamRoute(cursor, deadline)

    def events(self) -> Generator[StreamEvent]:
        """See `Client.stream`."""
        while not self._cursor.has_ended:
            broke: httpx2.TransportError | CallerError | None = None
            self._cursor.connected()
            try:
                with closing(self._polled() if self._route.polls else self._streamed()) as events:
                    yield from events
            except (httpx2.TransportError, CallerError) as error:
                broke = error
            if not self._cursor.has_ended:
                time.sleep(self._route.pause_after(broke))

    def _streamed(self) -> Generator[StreamEvent]:
        """The events of one stream."""
        cursor, silence_s = self._cursor, self._route.silence_s
        request = call.stream(self._to, self._id, after=cursor.sequence, format=cursor.format, silence_s=silence_s)
        response = self._sender.send(request, is_stream=True)
        try:
            if response.status_code == NO_CONTENT:
                cursor.end()
                return
            response.stream = Watched(response.stream, lambda: self._deadline.is_near)
            for frame in httpx2.EventSource(response, max_event_size=None):
                event = cursor.accept(frame)
                if event is not None:
                    yield event
                if cursor.has_ended:
                    return
        finally:
            response.close()

    def _polled(self) -> Generator[StreamEvent]:
        """The events of one long-poll."""
        cursor = self._cursor
        request = call.history(
            self._to, self._id, after=cursor.sequence, wait_s=self._deadline.next_wait_s(self._id)
        )
        page = HistoryPage.of(answers.body_of(self._sender.send(request)))
        cursor.has_heard = True
        for item in page.events:
            yield cursor.accept_item(item)
        if page.closed and page.up_to_date:
            cursor.end()
