"""`OPERATION_*`: what a `ctx.run` function returned or raised. Operations have an index of their own, from 1."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import ErrorInfo, EventType, Family
from flowstrand.engine.schema import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationEvent:
    """What both have.

    Attributes:
        index: which call of `ctx.run` it is, from 1.
        name: what the code calls it.
        issued_at: the last event that the code had seen when it called, where it has seen others since.
    """

    FAMILY: ClassVar[Family] = Family.OPERATION

    operation_id: str
    index: int
    name: str
    issued_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationCompleted(_OperationEvent):
    """The function returned."""

    TYPE: ClassVar[EventType] = EventType.OPERATION_COMPLETED

    result: Payload = field(metadata={"payload": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFailed(_OperationEvent):
    """The function raised."""

    TYPE: ClassVar[EventType] = EventType.OPERATION_FAILED

    error: ErrorInfo
