"""The live stream of an execution and its descendants: frames into events, and the cursor behind the last of them."""

from __future__ import annotations

from dataclasses import asdict

import httpx2

from flowstrand.client.pauses import Pauses
from flowstrand.client.stream import StreamCursor, StreamEvent, StreamFormat
from flowstrand.dataclass import dataclass
from flowstrand.errors import LogCorrupted

MAX_FRUITLESS = 10
"""Connections in a row that may break without an event before the stream is given up."""
_BARE, _REFUSED = "message", "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeEvent(StreamEvent):
    """One event of an execution or of one of its descendants.

    Attributes:
        execution_id: whose it is; `sequence` counts in its log, and `is_terminal` is about that.
        cursor: where a stream that has brought it goes on.
    """

    execution_id: str
    cursor: str


class TreeCursor:
    """Where a reader of one tree stands. Accepts frames in order; refuses gaps and repetitions within a log."""

    def __init__(self, after: str, format: StreamFormat = "state") -> None:
        self.after = after
        self.format = format
        self.has_ended = False
        self._is_whole = not after
        self._sequences: dict[str, int] = {}
        self._before_connection = after
        self._pauses = Pauses()

    def accept(self, frame: httpx2.ServerSentEvent) -> TreeEvent | None:
        """The event of `frame`; None for a frame that carries none.

        One that says that the stream cannot go on carries none: the next connection is refused with the same.

        Raises:
            LogCorrupted: it is not the event after the last one of its log.
        """
        self._pauses.hint(frame.retry)
        if frame.event == _REFUSED:
            return None
        if frame.event == _BARE and not frame.data:
            self.after = frame.id or self.after
            return None
        event = self._event(frame)
        self.after = event.cursor
        return event

    def connected(self) -> None:
        """A new connection is open."""
        self._before_connection = self.after

    def end(self) -> None:
        """The server said that nothing follows."""
        self.has_ended = True

    def pause_after(self, error: httpx2.TransportError | None) -> float:
        """Seconds to wait before the next connection; `error` is how this one broke, None for a clean end.

        Raises:
            httpx2.TransportError: too many connections in a row broke before they brought anything.
        """
        if self.after != self._before_connection:
            self._pauses.reset()
            return 0.0
        if error is None:
            return self._pauses.usual_s
        pause_s = self._pauses.after_failure()
        if self._pauses.fruitless >= MAX_FRUITLESS:
            raise error
        return pause_s

    def _event(self, frame: httpx2.ServerSentEvent) -> TreeEvent:
        execution_id, _, rest = frame.id.partition(":")
        number = rest.partition(":")[0]
        sequence = int(number) if number.isdecimal() else 0
        last = self._sequences.get(execution_id, 0 if self._is_whole else sequence - 1)
        if not sequence or sequence != last + 1:
            raise LogCorrupted(f"stream: expected event {last + 1} of {execution_id!r}, got {frame.id!r}")
        plain = httpx2.ServerSentEvent(event=frame.event, data=frame.data, id=number)
        event = StreamCursor(last, self.format).accept(plain)
        if event is None:
            raise LogCorrupted(f"stream: there is no event at {frame.id!r}")
        self._sequences[execution_id] = sequence
        if event.is_terminal:
            del self._sequences[execution_id]
        return TreeEvent(**asdict(event), execution_id=execution_id, cursor=frame.id)
