"""The live stream: frames into events, and the cursor that makes sure that none is lost or repeated (laws 1 and 2)."""

from __future__ import annotations

import json
from typing import Literal, TypeAlias

import httpx2

from flowstrand.client.history import HistoryEvent
from flowstrand.client.pauses import Pauses
from flowstrand.client.state_frame import state_frame
from flowstrand.dataclass import dataclass
from flowstrand.engine.events import EventType
from flowstrand.engine.ids import is_standalone_task
from flowstrand.engine.schema import epoch_ms
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonValue
from flowstrand.views.public_name import public_name

StreamFormat: TypeAlias = Literal["state", "cloudevents"]

_TASK_ENDS = frozenset({"TASK_COMPLETED", "TASK_FAILED", "TASK_CANCELLED"})
_TERMINAL = frozenset({"WORKFLOW_COMPLETED", "WORKFLOW_FAILED", "WORKFLOW_CANCELLED"})
_TYPES_BY_PUBLIC_NAME = {public_name(type): type.value for type in EventType}
_BARE = "message"
"""The SSE event name of a frame that names none: ours always do when they carry an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event as the stream shows it.

    Attributes:
        name: the SSE event name.
        type: the event's public name, `TASK_FAILED` in either format.
        data: the entity snapshot (`state`), the CloudEvent's data (`cloudevents`), or the emitted value.
        timestamp_ms: epoch milliseconds, where the frame says so.
        raw: the frame's text; of a CloudEvent that came by long-poll, its data alone.
    """

    sequence: int
    name: str
    type: str
    data: JsonValue
    timestamp_ms: int | None
    raw: str

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows it."""
        return self.type in _TERMINAL or _ends_task(self)


class StreamCursor:
    """Where a reader of one stream stands. Accepts events in order; refuses gaps and repetitions."""

    def __init__(self, after: int, format: StreamFormat = "state") -> None:
        self.sequence = after
        self.format = format
        self.has_ended = False
        self.has_heard = False
        self._before_connection = after
        self._pauses = Pauses()

    @property
    def fruitless(self) -> int:
        """Connections in a row that have broken before anything arrived."""
        return self._pauses.fruitless

    def accept(self, frame: httpx2.ServerSentEvent) -> StreamEvent | None:
        """The event of `frame`; None for a frame that carries none (a `retry:` hint, a bare id).

        Raises:
            LogCorrupted: it is not the event after the last one.
        """
        self.has_heard = True
        self._pauses.hint(frame.retry)
        if frame.event == _BARE and not frame.data:
            return None
        if not frame.id.isdecimal() or int(frame.id) != self.sequence + 1:
            raise LogCorrupted(f"stream: expected event {self.sequence + 1}, got {frame.id!r}")
        return self._passed(_of_state(frame) if self.format == "state" else _of_cloud_event(frame))

    def accept_item(self, item: HistoryEvent) -> StreamEvent:
        """The event of an item of history, as its frame would show it.

        Raises:
            LogCorrupted: it is not the event after the last one, or cannot be read.
        """
        self.has_heard = True
        if item.sequence != self.sequence + 1:
            raise LogCorrupted(f"history: expected event {self.sequence + 1}, got {item.sequence}")
        return self._passed(_of_state(state_frame(item)) if self.format == "state" else _of_item(item))

    def connected(self) -> None:
        """A new connection is opened."""
        self._before_connection = self.sequence
        self.has_heard = False

    def end(self) -> None:
        """The server said that nothing follows."""
        self.has_ended = True

    def pause_after(self, error: Exception | None) -> float:
        """Seconds to wait before the next connection; `error` is how this one broke, None for a clean end."""
        if self.has_heard:
            self._pauses.reset()
        if self.sequence > self._before_connection:
            return 0.0
        if error is None or self.has_heard:
            return self._pauses.usual_s
        return self._pauses.after_failure()

    def _passed(self, event: StreamEvent) -> StreamEvent:
        self.sequence += 1
        self.has_ended = event.is_terminal
        return event


def _ends_task(event: StreamEvent) -> bool:
    """Whether it is the permanent end of a standalone task, whose log ends with it."""
    if event.type not in _TASK_ENDS or not isinstance(event.data, dict) or event.data.get("status") == "PENDING":
        return False
    id = event.data.get("taskExecutionId") or event.data.get("id")
    return isinstance(id, str) and is_standalone_task(id)


def _of_state(frame: httpx2.ServerSentEvent) -> StreamEvent:
    """A state change, or what a task emitted: raw text for a token, JSON for the rest."""
    body = frame.data if frame.event == "token" else _json(frame)
    if not isinstance(body, dict) or frame.event != "data" or body.get("type") != "Event":
        return _event(frame, f"STREAM_{frame.event.upper()}", body, None)
    stamp = body.get("timestampMs")
    return _event(frame, str(body["event"]), body.get("data"), stamp if isinstance(stamp, int) else None)


def _of_cloud_event(frame: httpx2.ServerSentEvent) -> StreamEvent:
    body = _json(frame)
    if not isinstance(body, dict) or body.get("type") not in _TYPES_BY_PUBLIC_NAME:
        raise LogCorrupted(f"stream: event {frame.id} is not a CloudEvent of a known type")
    stamp = epoch_ms(str(body["time"])) if "time" in body else None
    return _event(frame, _TYPES_BY_PUBLIC_NAME[str(body["type"])], body.get("data"), stamp)


def _of_item(item: HistoryEvent) -> StreamEvent:
    return StreamEvent(
        sequence=item.sequence,
        name=_BARE,
        type=item.type,
        data=item.data,
        timestamp_ms=epoch_ms(item.timestamp),
        raw=json.dumps(item.data, separators=(",", ":")),
    )


def _event(frame: httpx2.ServerSentEvent, type: str, data: JsonValue, timestamp_ms: int | None) -> StreamEvent:
    return StreamEvent(
        sequence=int(frame.id), name=frame.event, type=type, data=data, timestamp_ms=timestamp_ms, raw=frame.data
    )


def _json(frame: httpx2.ServerSentEvent) -> JsonValue:
    try:
        value: JsonValue = json.loads(frame.data)
    except ValueError as error:
        raise LogCorrupted(f"stream: event {frame.id} is not JSON") from error
    return value
