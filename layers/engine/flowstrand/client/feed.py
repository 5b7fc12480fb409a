"""The feed of an org: frames into events, and the cursor that makes sure that none is lost, repeated or reordered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import httpx2

from flowstrand.client import call
from flowstrand.client.call import Call
from flowstrand.client.connection import Connection
from flowstrand.client.pauses import Pauses
from flowstrand.dataclass import dataclass
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonValue

FeedPosition: TypeAlias = int | Literal["now"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedEvent:
    """One event of an org's feed.

    Attributes:
        position: its place in the feed, to go on from with `after`.
        log: the id of the workflow execution or the standalone task that it is of.
        sequence: its place in that log.
        type: its name, such as `TASK_FAILED`.
        data: the entity snapshot.
        timestamp_ms: epoch milliseconds.
        raw: the frame's text.
    """

    position: int
    log: str
    sequence: int
    type: str
    data: JsonValue
    timestamp_ms: int
    raw: str


class FeedCursor:
    """Where a reader of a feed stands."""

    def __init__(self, after: FeedPosition, types: Iterable[str] = ()) -> None:
        self.position: int | None = None if after == "now" else after
        self._types = ",".join(types)
        self._pauses = Pauses()

    def request(self, to: Connection) -> Call:
        """What asks for everything behind the position; from now on, while there is none."""
        params = {"types": self._types} if self._types else {}
        if self.position is None:
            params["after"] = "now"
        return call.server_sent(to.path("events", "stream"), params, last_id=str(self.position or ""))

    def accept(self, frame: httpx2.ServerSentEvent) -> FeedEvent | None:
        """The event of `frame`; None for a frame that carries none (a `retry:` hint, a bare id).

        Raises:
            LogCorrupted: it cannot be read, or does not go forward.
        """
        self._pauses.reset()
        self._pauses.hint(frame.retry)
        before, self.position = self.position, self._moved(frame.id)
        if not frame.data:
            return None
        if self.position is None or self.position == before:
            raise LogCorrupted(f"feed: an event behind {before} has the id {frame.id!r}")
        return _event(self.position, frame.data)

    def pause_after(self, *, broke: bool) -> float:
        """Seconds to wait before the next connection."""
        return self._pauses.after_failure() if broke else self._pauses.usual_s

    def _moved(self, id: str) -> int | None:
        if not id:
            return self.position
        if not id.isdecimal() or int(id) < (self.position or 0):
            raise LogCorrupted(f"feed: {id!r} comes behind {self.position}")
        return int(id)


def _event(position: int, text: str) -> FeedEvent:
    try:
        body: Any = json.loads(text)
        return FeedEvent(
            position=position,
            log=str(body.get("workflowExecutionId") or body["taskExecutionId"]),
            sequence=int(body["sequence"]),
            type=str(body["event"]),
            data=body["data"],
            timestamp_ms=int(body["timestampMs"]),
            raw=text,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LogCorrupted(f"feed: event {position} cannot be read") from error
