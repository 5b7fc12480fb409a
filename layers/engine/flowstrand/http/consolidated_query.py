"""What a reader of a consolidated stream may ask for: a cursor, a filter, a format."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flowstrand.engine.events import EventType
from flowstrand.http.query import Query
from flowstrand.http.reading_query import Types
from flowstrand.views.stream_frame import StreamFormat
from flowstrand.views.type_patterns import types_of


class ConsolidatedQuery(Query):
    """A live stream of a tree."""

    after: Annotated[str, Field(description="The last `id:` that the reader has; empty for none.")] = ""
    types: Types = Field(default_factory=list)
    format: Annotated[StreamFormat, Field(description="How each event is written.")] = StreamFormat.STATE

    def only(self) -> frozenset[EventType] | None:
        """The types of events asked for; None for all."""
        return types_of(self.types)


class LastCursor(Query):
    """Where a broken stream goes on; beats `after`."""

    last_event_id: Annotated[
        str, Field(alias="Last-Event-ID", description="The last `id:` that the reader has; beats `after`.")
    ] = ""
