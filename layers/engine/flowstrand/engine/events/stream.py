"""`STREAM_*`: what a running task emits. They share the log's sequence and are never delivered to workflow code."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

from flowstrand.dataclass import dataclass
from flowstrand.engine.events.vocabulary import EventType, Family
from flowstrand.engine.schema import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class _StreamEvent:
    """What all of them have.

    Attributes:
        task_execution_id: of the task that streams.
        attempt: of the task; what an attempt that failed has streamed stays in the log.
        payload: what was streamed.
    """

    FAMILY: ClassVar[Family] = Family.STREAM

    task_execution_id: str
    attempt: int
    payload: Payload = field(metadata={"payload": True})
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamToken(_StreamEvent):
    """A piece of text."""

    TYPE: ClassVar[EventType] = EventType.STREAM_TOKEN


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamProgress(_StreamEvent):
    """A number from 0 to 1.

    Attributes:
        details: what the task says beside it.
    """

    TYPE: ClassVar[EventType] = EventType.STREAM_PROGRESS

    details: Payload = field(default=None, metadata={"payload": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamData(_StreamEvent):
    """Any JSON."""

    TYPE: ClassVar[EventType] = EventType.STREAM_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamError(_StreamEvent):
    """An error the task wants watchers to see; it does not fail the task."""

    TYPE: ClassVar[EventType] = EventType.STREAM_ERROR
