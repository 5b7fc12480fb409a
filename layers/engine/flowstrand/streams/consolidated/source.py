"""The consolidated live stream: a merge, the logs that it reads, and what clients get of it."""

from __future__ import annotations

import asyncio
import logging

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import Event, EventType
from flowstrand.errors import CallerError, StoreUnavailable, UnprocessableInput
from flowstrand.log.port import LogKey
from flowstrand.service import history, payloads
from flowstrand.service.container import Services
from flowstrand.streams import sse
from flowstrand.streams.consolidated.crowd import are_more_open_than
from flowstrand.streams.consolidated.cursor import MAX_CURSOR, Cursor, invalid_cursor, parse_cursor
from flowstrand.streams.consolidated.line import Line
from flowstrand.streams.consolidated.logs import TreeLogs
from flowstrand.streams.consolidated.merge import MAX_OPEN, Merge, TooManyOpen, Wanted
from flowstrand.streams.consolidated.schedule import LookSchedule
from flowstrand.streams.live_response import LivePage, LiveSource, live_response
from flowstrand.streams.response import StreamResponse
from flowstrand.views.stream_frame import StreamFormat, StreamFrame, stream_frame

_PAGE = 500
"""Events that one page goes through, at most."""
_PAGE_BYTES = 1024 * 1024
"""A page ends when it holds as much."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolidatedRequest:
    """What a client asks of a consolidated stream.

    Attributes:
        after: the last cursor that the client has; None for everything.
        types: the events it wants; None for all.
    """

    after: str | None = None
    format: StreamFormat = StreamFormat.STATE
    types: frozenset[EventType] | None = None


def open_consolidated(services: Services, root: LogKey, request: ConsolidatedRequest) -> StreamResponse:
    """The response to a client that stands at `request.after`: 200 and a stream, or 204 when nothing can follow.

    Raises:
        NotFound: no such execution in this org (`EXECUTION_NOT_FOUND`).
        InvalidInput: `INVALID_CURSOR`: no stream of this execution leads there.
        Gone: what follows is not kept any more (`EXECUTION_EXPIRED` from the beginning, else `CURSOR_EXPIRED`).
        UnprocessableInput: `TOO_MANY_DESCENDANTS`: more are open than are told of at a time.
    """
    has_ended = history.tail(services, root.org, root.execution_id).closed
    cursor = None if request.after is None else parse_cursor(request.after, root)
    if cursor is not None and not cursor.places:
        if not has_ended:
            raise invalid_cursor()
        return StreamResponse(status=204)
    if cursor is None and are_more_open_than(services, root, MAX_OPEN):
        raise _too_many()
    source = _TreeSource(services, root, request, cursor)
    source.begin()
    return live_response(services, source, ending="the execution and all its descendants have ended")


class _TreeSource(LiveSource):
    """The events of a tree; a position is a cursor."""

    def __init__(
        self, services: Services, root: LogKey, request: ConsolidatedRequest, cursor: Cursor | None
    ) -> None:
        self._services = services
        self._root = root
        self._request = request
        self._logs = TreeLogs(services, root)
        self._merge: Merge = self._logs.merge_at(cursor)
        self._last = None if cursor is None else (cursor.execution_id, cursor.sequence)
        self._position = request.after or ""
        self._schedule = LookSchedule()
        self._prepared: LivePage | None = None

    @property
    def position(self) -> str:
        """See `LiveSource.position`."""
        return self._position

    def begin(self) -> None:
        """Prepare the first page, so that what makes this stream impossible is said before it begins.

        Raises: as `open_consolidated`.
        """
        self._prepared = self._advance(is_first=True)

    async def next_page(self, *, until_ms: int) -> LivePage | None:
        """See `LiveSource.next_page`.

        Raises:
            CallerError: the stream cannot go on from here: too many descendants are open, or what follows has expired.
            LogCorrupted: a log is not what it should be.
        """
        page, self._prepared = self._prepared, None
        while page is None:
            if not await self._wait(until_ms):
                return None
            page = await asyncio.to_thread(self._advance_if_possible)
        self._position = self._cursor() if self._last else ""
        return page

    # --- going forward --------------------------------------------------------------------------

    def _advance_if_possible(self) -> LivePage | None:
        """As `_advance`; None, too, while the store fails."""
        try:
            return self._advance(is_first=False)
        except StoreUnavailable as error:
            _logger.warning("reading the tree of %s failed, trying again: %s", self._root, error)
            return None

    def _advance(self, *, is_first: bool) -> LivePage | None:
        """A page of what comes next; None where nothing follows for now.

        Where it cannot go on, what it has got is told first: the next page then meets the same.
        """
        page = _Page()
        try:
            while not page.is_full and self._tell_next(page):
                pass
        except (StoreUnavailable, CallerError):
            if is_first or not page.events:
                raise
        if not page.events and not self._merge.is_over:
            return None
        return LivePage(frames=bytes(page.frames), last_id=page.last_id, is_final=self._merge.is_over)

    def _tell_next(self, page: _Page) -> bool:
        """Read, or tell one event; says whether anything was to be done.

        Raises:
            UnprocessableInput: `TOO_MANY_DESCENDANTS`.
        """
        try:
            step = self._merge.step()
        except TooManyOpen:
            raise _too_many() from None
        if step is None:
            return False
        if isinstance(step, Wanted):
            self._logs.feed(self._merge, step.lines)
            return True
        is_shown = self._request.types is None or step.event.type in self._request.types
        event = payloads.inline(self._services, self._root.org, step.event) if is_shown else step.event
        key = LogKey(self._root.org, step.line.log)
        self._merge.tell()
        self._last = (key.execution_id, event.sequence)
        self._hasten(step.line, event)
        page.add(self._frame(key, event) if is_shown else None)
        return True

    def _frame(self, key: LogKey, event: Event) -> StreamFrame:
        cursor = self._cursor()
        if len(cursor) > MAX_CURSOR:
            raise _too_many()
        return stream_frame(key, event, self._request.format, id=cursor, names_log=True)

    def _cursor(self) -> str:
        assert self._last is not None, "nothing has been told"
        execution_id, sequence = self._last
        cursor = Cursor(execution_id=execution_id, sequence=sequence, places=self._merge.places)
        return cursor.text(self._root)

    # --- waiting --------------------------------------------------------------------------------

    def _hasten(self, line: Line, event: Event) -> None:
        """Where something has come, more may; the parent of what has ended is about to say so."""
        now_ms = self._services.clock.now_ms()
        self._schedule.hasten(line, now_ms)
        if event.is_terminal and line.origin is not None:
            self._schedule.hasten(line.origin.parent, now_ms)

    async def _wait(self, until_ms: int) -> bool:
        """Wait until some log may have grown, but not for long; False when `until_ms` has come."""
        now_ms = self._services.clock.now_ms()
        if now_ms >= until_ms:
            return False
        lines = list(self._merge.lines.values())
        due_ms = min(self._schedule.next_ms(lines, now_ms), until_ms)
        stand = {LogKey(self._root.org, line.log): line.read_to for line in lines if not line.is_unknown}
        grown = await self._services.changes.any_changed(stand, timeout_ms=max(1, due_ms - now_ms))
        due = self._schedule.due(lines, self._services.clock.now_ms())
        known = [line for line in lines if LogKey(self._root.org, line.log) in grown]
        self._merge.look_again([*due, *known])
        return True


class _Page:
    """What is being put together."""

    def __init__(self) -> None:
        self.frames = bytearray()
        self.last_id: str | None = None
        self.events = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time to send it."""
        return self.events >= _PAGE or len(self.frames) >= _PAGE_BYTES

    def add(self, frame: StreamFrame | None) -> None:
        """One event; None where a filter has dropped it."""
        self.events += 1
        if frame is not None:
            self.frames += sse.frame(frame)
            self.last_id = frame.id


def _too_many() -> UnprocessableInput:
    return UnprocessableInput(
        f"more than {MAX_OPEN} descendants are open at a time; follow them one by one",
        code="TOO_MANY_DESCENDANTS",
    )
