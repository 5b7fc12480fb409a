"""What a reader may ask for in a URL: a position, a limit, a wait, a filter, a format."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from flowstrand.engine.events import EventType
from flowstrand.http.query import MAX_POSITION, CommaSeparated, Number, Query, WholeNumber, fitted
from flowstrand.service.history import DEFAULT_LIMIT, MAX_LIMIT
from flowstrand.views.stream_frame import StreamFormat
from flowstrand.views.type_patterns import TYPE_PATTERNS, types_of

MAX_WAIT_S = 20

Position = Annotated[int, Field(ge=0, le=MAX_POSITION), WholeNumber]


def _pattern(text: str) -> str:
    if text not in TYPE_PATTERNS:
        raise ValueError("must be a type (TASK_FAILED, task.failed) or a family (task.*)")
    return text


TypePattern = Annotated[str, AfterValidator(_pattern), Field(json_schema_extra={"enum": [*TYPE_PATTERNS]})]
Types = Annotated[
    list[TypePattern],
    CommaSeparated,
    Field(
        description=(
            "Only events of these types, separated by commas: `TASK_FAILED`, `task.failed`, or `task.*` for a family; "
            "none for all."
        )
    ),
]


class ReadingQuery(Query):
    """What every reading route takes."""

    after: Annotated[Position, Field(description="The last sequence that the reader has; 0 for none.")] = 0
    types: Types = Field(default_factory=list)

    def only(self) -> frozenset[EventType] | None:
        """The types of events asked for; None for all."""
        return types_of(self.types)


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


class FeedQuery(Query):
    """A live stream of an org's feed."""

    after: Annotated[
        Literal["now"] | Position,
        Field(
            description=(
                "The last sequence of the feed that the reader has; 0 for none, `now` for only what comes. Beyond what is kept "
                "it is 410."
            ),
        ),
    ] = 0
    types: Types = Field(default_factory=list)
    format: Annotated[StreamFormat, Field(description="How each event is written.")] = StreamFormat.STATE

    def position(self) -> int | None:
        """The last sequence that the reader has; None for what comes from now on."""
        return None if self.after == "now" else self.after

    def only(self) -> frozenset[EventType] | None:
        """The types of events asked for; None for all."""
        return types_of(self.types)


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
