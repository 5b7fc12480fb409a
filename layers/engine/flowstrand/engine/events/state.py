"""`STATE_*`: named values an execution shows to the outside."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import EventType, Family
from flowstrand.engine.schema import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSet:
    """A key got a value."""

    FAMILY: ClassVar[Family] = Family.STATE
    TYPE: ClassVar[EventType] = EventType.STATE_SET

    position: int
    key: str
    value: Payload = field(metadata={"payload": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCleared:
    """A key was removed."""

    FAMILY: ClassVar[Family] = Family.STATE
    TYPE: ClassVar[EventType] = EventType.STATE_CLEARED

    position: int
    key: str
