"""What may be asked of the list of workers: `?queue=&after=&limit=`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flowstrand.http.list_query import ListQuery


class WorkerQuery(ListQuery):
    """A page of workers."""

    queue: Annotated[str | None, Field(description="Only those that serve this queue.")] = None
