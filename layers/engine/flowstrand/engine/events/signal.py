"""`SIGNAL_RECEIVED`: a message sent to a running execution."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import EventType, Family
from flowstrand.engine.schema import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReceived:
    """A signal, queued under its name in log order."""

    FAMILY: ClassVar[Family] = Family.SIGNAL
    TYPE: ClassVar[EventType] = EventType.SIGNAL_RECEIVED

    name: str
    value: Payload = field(metadata={"payload": True})
    request_id: str | None = None
