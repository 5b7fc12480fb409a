"""Response bodies of the routes that read logs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import SkipValidation, WithJsonSchema

from flowstrand.http.response_body import ResponseBody
from flowstrand.service.history import HistoryPage
from flowstrand.views.history_item import history_item

EventItem = Annotated[Any, SkipValidation, WithJsonSchema({"$ref": "#/components/schemas/Event"})]
"""One event as the engine's own schema writes it, which needs no second look."""


class HistoryFound(ResponseBody):
    """Consecutive events, those that the filter let through. `next_after` is the last one looked at, where the next page starts.

    `closed` says that the log has its terminal event; with `up_to_date`, nothing will ever follow.
    """

    events: list[EventItem]
    next_after: int
    up_to_date: bool
    closed: bool

    @classmethod
    def of(cls, page: HistoryPage) -> HistoryFound:
        """What `page` holds."""
        return cls(
            events=[history_item(event) for event in page.events],
            next_after=page.next_after,
            up_to_date=page.up_to_date,
            closed=page.closed,
        )
