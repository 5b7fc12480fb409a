"""Request bodies of the routes of queues."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flowstrand.http.body import RequestBody
from flowstrand.service.queue_controls import Change

MAX_RATE = 10_000
MAX_AT_ONCE = 1_000
"""Every attempt that runs in a limited queue is counted in one row of the directory."""

Rate = Annotated[float, Field(gt=0, le=MAX_RATE)]
AtOnce = Annotated[int, Field(ge=1, le=MAX_AT_ONCE)]


class ControlQueue(RequestBody):
    """`PUT /queues/{queue}`. What is left out stays as it is; null takes a limit away."""

    max_tasks_per_second: Rate | None = None
    max_concurrent: AtOnce | None = None
    paused: bool | None = None

    def to_change(self) -> Change:
        """For the use case."""
        return Change(
            max_tasks_per_second=self.max_tasks_per_second,
            max_concurrent=self.max_concurrent,
            is_paused=self.paused,
            without_rate="max_tasks_per_second" in self.model_fields_set and self.max_tasks_per_second is None,
            without_concurrency="max_concurrent" in self.model_fields_set and self.max_concurrent is None,
        )
