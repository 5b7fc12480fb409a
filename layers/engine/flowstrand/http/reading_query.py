"""What a reader may ask for in a URL: a position, a limit, a wait, a filter, a format."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flowstrand.engine.events import EventType
from flowstrand.http.query import MAX_POSITION, CommaSeparated, Number, Query, WholeNumber, fitted
from flowstrand.service.history import DEFAULT_LIMIT, MAX_LIMIT
from flowstrand.views.stream_frame import StreamFormat

MAX_WAIT_S = 20

Position = Annotated[int, Field(ge=0, le=MAX_POSITION), WholeNumber]
Types = Annotated[
    list[EventType],
    CommaSeparated,
    Field(description="Only events of these types, by their exact names, separated by commas; none for all."),
]


class ReadingQuery(Query):
    """What every reading route takes."""

    after: Annotated[Position, Field(description="The last sequence that the reader has; 0 for none.")] = 0
    types: Types = Field(default_factory=list)

    def only(self) -> frozenset[EventType] | None:
        """The types of events asked for; None for all."""
        return frozenset(self.types) or None


class HistoryQuery(ReadingQuery):
    """A page of history, or with `wait` a long-poll."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many events at most."), WholeNumber] = (
        DEFAULT_LIMIT
    )
    wait: Annotated[
        Annotated[float, Field(ge=0, le=MAX_WAIT_S), Number] | None,
        Field(description="Seconds to wait for an event if there is none after `after`."),
    ] = None


class StreamQuery(ReadingQuery):
    """A live stream."""

    format: Annotated[StreamFormat, Field(description="How each event is written.")] = StreamFormat.STATE


class LastEventId(Query):
    """Where a broken stream goes on; beats `after`."""

    last_event_id: Annotated[
        Position | None,
        Field(alias="Last-Event-ID", description="The last `id:` that the reader has; beats `after`."),
    ] = None


def last_event_id(header: str | None) -> int | None:
    """The position in a `Last-Event-ID` header; None where there is none, or an empty one.

    Raises:
        InvalidInput: it is not a position.
    """
    return fitted({"Last-Event-ID": header.strip()} if header else {}, LastEventId).last_event_id
