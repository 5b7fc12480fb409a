"""What a reader under the Durable Streams protocol may ask for in a URL."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flowstrand.http.query import MAX_POSITION, Query, WholeNumber
from flowstrand.streams.durable.reading import Live, ReadRequest


class DurableQuery(Query):
    """Where the reader stands, and how it waits."""

    offset: Annotated[
        str | None,
        Field(
            min_length=1,
            description="Where to read on: what `Stream-Next-Offset` said last, `-1` for the beginning, `now` for the end.",
        ),
    ] = None
    live: Annotated[Live | None, Field(description="How to wait for what comes; not at all without it.")] = None
    cursor: Annotated[
        Annotated[int, Field(ge=0, le=MAX_POSITION), WholeNumber] | None,
        Field(description="What `Stream-Cursor` or `streamCursor` said last."),
    ] = None

    def request(self, *, known: str | None) -> ReadRequest:
        """What is asked for; `known` is the value of `If-None-Match`."""
        tags = frozenset(tag.strip().removeprefix("W/") for tag in (known or "").split(",") if tag.strip())
        return ReadRequest(offset=self.offset, live=self.live, cursor=self.cursor, known=tags)
