"""`CANCELLATION_REQUESTED` and `RETRY_REQUESTED`: what people ask of an execution."""

from __future__ import annotations

from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import EventType, Family


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested:
    """Somebody asked for the execution to end.

    Attributes:
        cascade: whether its children are asked as well.
    """

    FAMILY: ClassVar[Family] = Family.CONTROL
    TYPE: ClassVar[EventType] = EventType.CANCELLATION_REQUESTED

    reason: str | None = None
    cascade: bool = True
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRequested:
    """The last of what was copied from the log of a failed execution: which one's, and how far that goes."""

    FAMILY: ClassVar[Family] = Family.CONTROL
    TYPE: ClassVar[EventType] = EventType.RETRY_REQUESTED

    retried_from: str
    retried_from_sequence: int
    reason: str | None = None
    request_id: str | None = None
