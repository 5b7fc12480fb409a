"""What may be asked of a route that lists: `?after=&limit=`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flowstrand.http.query import Query, WholeNumber

MAX_LIMIT = 50
"""How many a page may have, which is also how many it has unless fewer are asked for."""


class ListQuery(Query):
    """A page of a list."""

    after: Annotated[str, Field(description="The `nextAfter` of the page before; none for the first page.")] = ""
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many at most."), WholeNumber] = MAX_LIMIT
