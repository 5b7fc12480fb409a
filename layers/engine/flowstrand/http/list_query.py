"""What may be asked of a route that lists: `?after=&limit=`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from flowstrand.http.query import Query, WholeNumber, read_query

MAX_LIMIT = 50
"""How many a page may have, which is also how many it has unless fewer are asked for."""


class ListQuery(Query):
    """A page of a list."""

    after: Annotated[str, Field(description="The `nextAfter` of the page before; none for the first page.")] = ""
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most."), WholeNumber] = MAX_LIMIT


def limit_of(parameters: Mapping[str, str] | None) -> int:
    """How many at most.

    Raises:
        InvalidInput: that is not a number, or out of range.
    """
    return read_query(parameters, ListQuery).limit
