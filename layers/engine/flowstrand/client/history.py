"""`HistoryPage` and `HistoryEvent`: the log as the history route shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowstrand.dataclass import dataclass
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject, JsonValue

TERMINAL_TYPES = ("WORKFLOW_COMPLETED", "WORKFLOW_FAILED", "WORKFLOW_CANCELLED")
"""How an execution's log ends."""
TASK_TERMINAL_TYPES = ("TASK_COMPLETED", "TASK_FAILED", "TASK_CANCELLED")
"""How a standalone task's log ends; a `TASK_FAILED` may be followed by another attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEvent:
    """One event: its place in the log, its name, when (RFC 3339) and its data."""

    sequence: int
    type: str
    timestamp: str
    data: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage:
    """Some events.

    Attributes:
        next_after: where the next page begins.
        up_to_date: there is nothing beyond this page yet.
        closed: the log has ended, and with `up_to_date` there never will be.
    """

    events: tuple[HistoryEvent, ...]
    next_after: int
    up_to_date: bool
    closed: bool

    @classmethod
    def of(cls, body: Mapping[str, JsonValue]) -> HistoryPage:
        """From the API's JSON."""
        items: Any = body["events"]
        following: Any = body["nextAfter"]
        return cls(
            events=tuple(_event(item) for item in items),
            next_after=int(following),
            up_to_date=bool(body["upToDate"]),
            closed=bool(body["closed"]),
        )

    def require_contiguous(self, after: int) -> None:
        """Check that an unfiltered page continues behind `after`, one event after the other.

        Raises:
            LogCorrupted: it does not.
        """
        for expected, event in enumerate(self.events, after + 1):
            if event.sequence != expected:
                raise LogCorrupted(f"history: expected event {expected}, got {event.sequence}")


def _event(item: Mapping[str, Any]) -> HistoryEvent:
    return HistoryEvent(
        sequence=int(item["sequence"]), type=str(item["type"]), timestamp=str(item["timestamp"]), data=item["data"]
    )
