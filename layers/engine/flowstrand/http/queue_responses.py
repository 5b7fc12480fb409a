"""Response bodies of the routes of queues."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from flowstrand.engine.schema import rfc3339
from flowstrand.http.response_body import ResponseBody
from flowstrand.service.queue_controls import QueueControl, QueuePage


class QueueState(StrEnum):
    """Whether a queue hands anything out."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class QueueView(ResponseBody):
    """A queue and what holds for it. `running` is there where that is counted, and one queue alone was asked for."""

    queue: str
    state: QueueState
    max_tasks_per_second: float | None = None
    max_concurrent: int | None = None
    running: int | None = None
    changed_at: str | None = None

    @classmethod
    def of(cls, queue: str, control: QueueControl, *, running: int | None = None) -> QueueView:
        """What `control` says."""
        optional: dict[str, Any] = {
            "max_tasks_per_second": control.max_tasks_per_second,
            "max_concurrent": control.max_concurrent,
            "running": running,
            "changed_at": rfc3339(control.changed_at_ms) if control.changed_at_ms else None,
        }
        return cls(
            queue=queue,
            state=QueueState.PAUSED if control.is_paused else QueueState.ACTIVE,
            **{name: value for name, value in optional.items() if value is not None},
        )


class QueuesFound(ResponseBody):
    """A page of queues, by name. `next_after` is there if there are more."""

    queues: list[QueueView]
    next_after: str | None = None

    @classmethod
    def of(cls, page: QueuePage) -> QueuesFound:
        """What `page` holds."""
        optional = {} if page.next_after is None else {"next_after": page.next_after}
        return cls(queues=[QueueView.of(name, control) for name, control in page.queues], **optional)
