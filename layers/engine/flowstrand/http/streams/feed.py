"""`GET …/events/stream`: the feed of an org."""

from __future__ import annotations

from flowstrand.http.authentication import authorize_reader
from flowstrand.http.query import query_of
from flowstrand.http.reading_query import FeedQuery, last_event_id
from flowstrand.http.streams.route import StreamCall, StreamRoute
from flowstrand.service.tickets import Readable, Scope
from flowstrand.streams.feed import FeedRequest, open_feed
from flowstrand.streams.response import StreamResponse


def _feed(call: StreamCall) -> StreamResponse:
    caller = authorize_reader(call.event, org=call.parameters["org"], scope=Scope(of=Readable.FEED))
    query = query_of(call.event, FeedQuery)
    resumed_at = last_event_id(call.header("last-event-id"))
    after = query.position() if resumed_at is None else resumed_at
    return open_feed(
        call.services(), caller.org, FeedRequest(after=after, format=query.format, types=query.only())
    )


ROUTES = (StreamRoute("GET", "/api/orgs/<org>/events/stream", _feed),)
