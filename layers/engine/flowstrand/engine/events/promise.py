"""`PROMISE_*`: a value that somebody outside will give."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import ErrorInfo, EventType, Family
from flowstrand.engine.schema import EpochMs, Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class _PromiseEvent:
    """What all of them have.

    Attributes:
        promise_id: by which it is settled from outside.
        position: which of the code's requests it is, from 1.
        name: what the code calls it.
    """

    FAMILY: ClassVar[Family] = Family.PROMISE

    promise_id: str
    position: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseCreated(_PromiseEvent):
    """Workflow code asked for a promise.

    Attributes:
        key: a name of the author's by which it can be settled, unique in its org while it is open.
    """

    TYPE: ClassVar[EventType] = EventType.PROMISE_CREATED

    timeout_at_ms: EpochMs | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseResolved(_PromiseEvent):
    """The value came. `request_id` where many things came at once: by it, whoever brought the value knows that it was theirs."""

    TYPE: ClassVar[EventType] = EventType.PROMISE_RESOLVED

    value: Payload = field(metadata={"payload": True})
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseRejected(_PromiseEvent):
    """An error came instead. `request_id` as for `PromiseResolved`."""

    TYPE: ClassVar[EventType] = EventType.PROMISE_REJECTED

    error: ErrorInfo
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseTimedOut(_PromiseEvent):
    """Nothing came in time."""

    TYPE: ClassVar[EventType] = EventType.PROMISE_TIMED_OUT
