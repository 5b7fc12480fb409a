"""`TIMER_*`: a moment that workflow code waits for."""

from __future__ import annotations

from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import EventType, Family
from flowstrand.engine.schema import EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimerEvent:
    """What all of them have.

    Attributes:
        position: which of the code's requests it is, from 1.
        fire_at_ms: when it is due.
    """

    FAMILY: ClassVar[Family] = Family.TIMER

    timer_id: str
    position: int
    fire_at_ms: EpochMs


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerStarted(_TimerEvent):
    """Workflow code asked for a timer.

    Attributes:
        is_timeout: true where it limits how long the code waits for something else; fired, it is a failure.
    """

    TYPE: ClassVar[EventType] = EventType.TIMER_STARTED

    is_timeout: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired(_TimerEvent):
    """Its moment has come."""

    TYPE: ClassVar[EventType] = EventType.TIMER_FIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerCancelled(_TimerEvent):
    """It will not fire. `command` is the position of the cancel command, or None at the execution's end."""

    TYPE: ClassVar[EventType] = EventType.TIMER_CANCELLED

    command: int | None = None
