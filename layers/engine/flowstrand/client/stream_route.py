"""`StreamRoute`: which way the events of a stream come, and what is done when that way fails.

Server-Sent Events come first. Where they are refused, or something between here and the server holds them back, the
long-poll goes on from where they ended: it works wherever HTTP does.
"""

from __future__ import annotations

import httpx2

from flowstrand.client.call import STREAM_SILENCE_S
from flowstrand.client.deadline import Deadline
from flowstrand.client.stream import StreamCursor
from flowstrand.errors import CallerError

FIRST_BYTE_S = 5.0
"""A stream that has sent nothing by then is held back: servers send its first bytes at once."""
FALL_BACK_AFTER = 3
"""Streams in a row that broke before anything arrived; the next connection is a long-poll."""
_UNREACHABLE = "UNREACHABLE"


class StreamRoute:
    """The way to one log, for one reader.

    Attributes:
        polls: whether the next connection is a long-poll.
    """

    def __init__(self, cursor: StreamCursor, deadline: Deadline) -> None:
        self._cursor = cursor
        self._deadline = deadline
        self._has_fallen_back = False
        self._streams = False

    @property
    def polls(self) -> bool:
        """See the class. Shortly before its deadline a reader polls, too: a poll ends when it is told to."""
        return self._has_fallen_back or self._deadline.is_near

    @property
    def silence_s(self) -> float:
        """How long the next stream may send nothing. Until one is known to arrive, that is as long as its first byte may take."""
        patience_s = STREAM_SILENCE_S if self._streams else FIRST_BYTE_S
        return min(patience_s, self._deadline.left_s)

    def pause_after(self, error: httpx2.TransportError | CallerError | None) -> float:
        """Seconds to wait before the next connection; `error` is how this one broke, None for a clean end.

        Raises:
            CallerError: refused, or not reachable for too long.
        """
        self._streams = self._streams or (self._cursor.has_heard and not self.polls)
        if isinstance(error, CallerError):
            return self._after_refusal(error)
        if isinstance(error, httpx2.ReadTimeout) and self._cursor.has_heard:
            return 0.0  # quiet for the patience that the first byte is waited for with, or near the deadline
        if error is not None and self._is_held_back(error):
            self._has_fallen_back = True
            return 0.0
        pause_s = self._cursor.pause_after(error)
        self._has_fallen_back = self._has_fallen_back or self._cursor.fruitless >= FALL_BACK_AFTER
        return min(pause_s, max(self._deadline.left_s, 0.0))

    def _after_refusal(self, error: CallerError) -> float:
        """What refuses a stream may be something in between: the answer to a long-poll is the last word."""
        if self.polls or error.code == _UNREACHABLE:
            raise error
        self._has_fallen_back = True
        return 0.0

    def _is_held_back(self, error: httpx2.TransportError) -> bool:
        return isinstance(error, httpx2.SSEError | httpx2.ReadTimeout) and not self._streams
