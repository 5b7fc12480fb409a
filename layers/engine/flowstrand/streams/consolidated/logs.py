"""`TreeLogs`: reads the logs of a tree for a merge, and sees to it that they are of that tree.

A log belongs to a tree if one that does asks for it (`CHILD_WORKFLOW_INITIATED`) and its own first event says the same. An id that
an author chose may be another execution's: that one is no child. Of an execution that is a retry, those of the failed one that it
has kept are children, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flowstrand.engine.events import Event, WorkflowCompleted, WorkflowStarted
from flowstrand.engine.ids import ExecutionId
from flowstrand.errors import Gone, InvalidInput, LogCorrupted, NotFound
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.service import history
from flowstrand.service.container import Services
from flowstrand.streams.consolidated.cursor import Cursor, invalid_cursor
from flowstrand.streams.consolidated.line import Line, Origin
from flowstrand.streams.consolidated.merge import MAX_OPEN, Merge, Reading
from flowstrand.streams.consolidated.restoring import lines_of
from flowstrand.streams.consolidated.side_by_side import each

_TOGETHER, _LEAST = 1_000, 10
"""How many events are read ahead of a tree, about, and of one log at a time, at least."""
_MOST_RETRIES = 100
"""Retries of retries that are followed back."""


class TreeLogs:
    """The logs of one tree. Blocks; every method raises `StoreUnavailable`, and may then be called again."""

    def __init__(self, services: Services, root: LogKey) -> None:
        self._services = services
        self._root = root
        self._firsts: dict[ExecutionId, WorkflowStarted] = {}
        self._looked_at: dict[ExecutionId, Commit] = {}

    def merge_at(self, cursor: Cursor | None) -> Merge:
        """The merge of whoever stands at `cursor`, or has nothing yet.

        Raises:
            InvalidInput: `INVALID_CURSOR`: nobody who follows this tree can stand there.
            Gone: `CURSOR_EXPIRED`: what follows is not kept any more.
        """
        return Merge.of_root(self._root.execution_id) if cursor is None else Merge(self._lines_at(cursor))

    def feed(self, merge: Merge, lines: Sequence[Line]) -> None:
        """Read these lines, in one round.

        Raises:
            InvalidInput: `INVALID_CURSOR`: as `merge_at`; that a position is beyond the end of its log is found out here.
            Gone: `CURSOR_EXPIRED`, or from the beginning `EXECUTION_EXPIRED`.
        """
        limit = max(_LEAST, _TOGETHER // max(1, len(merge.lines)))
        merge.feed(each(lines, partial(self._read, limit=limit)))

    # --- reading --------------------------------------------------------------------------------

    def _read(self, line: Line, limit: int) -> Reading:
        """What follows in the line's log."""
        org = self._root.org
        try:
            page = history.page(self._services, org, line.log, after=line.position, limit=limit, is_inlined=False)
        except NotFound:
            return self._unbegun(line)
        except Gone:
            self._require_expendable(line)
            return Reading(line, is_void=True)
        except InvalidInput:
            raise invalid_cursor() from None
        if line.position == 0 and page.events and not self._is_member(line, page.events[0].data):
            return Reading(line, is_void=True)
        if line.position and page.is_final and not page.events:
            raise invalid_cursor()  # who has the end of a log is told of no line of it
        return Reading(line, page.events, page.up_to_date)

    def _unbegun(self, line: Line) -> Reading:
        """Children are asked for, and executions continue, before there is a log."""
        if line.position or (line.origin is None and line.hops == 0):
            raise invalid_cursor()
        return Reading(line)

    def _require_expendable(self, line: Line) -> None:
        """Refuse to go on without the rest of a log that has expired.

        Unless nothing of it has been told, and it is another tree's, too: what a retry has of the failed execution's children may
        expire before the retry does.
        """
        if line.origin is None and line.position == line.hops == 0:
            raise Gone("the execution ended too long ago for its log to be kept", code="EXECUTION_EXPIRED")
        if line.position or self._is_own(line):
            raise _cursor_expired()

    def _is_own(self, line: Line) -> bool:
        """Whether the line's log, or what is left of it, names no other parent than the one that asks for it."""
        first = self._first(line.log)
        if first is None or first.parent is None or line.origin is None:
            return line.origin is None or not self._retried_by(line.origin.log)
        return first.parent.workflow_execution_id == line.origin.log

    # --- whose logs -----------------------------------------------------------------------------

    def _lines_at(self, cursor: Cursor) -> list[Line]:
        """The open lines of a cursor, whose logs are what it takes them for."""
        try:
            named = list(lines_of(cursor.places, self._root.execution_id, self._look))
        except ValueError:
            raise invalid_cursor() from None
        lines = [line for line, is_open in named if is_open]
        if sum(line.origin is not None for line in lines) > MAX_OPEN:
            raise invalid_cursor()
        if not all(each(named, self._may_stand)):
            raise invalid_cursor()
        return lines

    def _may_stand(self, place: tuple[Line, bool]) -> bool:
        """Whether a vector of this tree may have this line. One of which nothing is told yet may turn out to be somebody else's."""
        line, is_open = place
        first = self._first(line.log)
        is_untold = is_open and line.position == 0
        if first is None:
            return is_untold and (line.hops == 0 or self._has_continued(line))
        return self._is_member(line, first) or (is_untold and line.hops == 0)

    def _is_member(self, line: Line, first: object) -> bool:
        """Whether the log of a line, which begins with `first`, is what its parent asks for, or what goes on from that."""
        if not isinstance(first, WorkflowStarted):
            return False
        if line.hops and first.continued_from != line.log_after(line.hops - 1):
            return False
        return line.origin is None or self._is_child(line.origin, first)

    def _is_child(self, origin: Origin, first: WorkflowStarted) -> bool:
        parent = first.parent
        if parent is None or parent.position != origin.position:
            return False
        id = parent.workflow_execution_id
        return id == origin.log or id in self._retried_by(origin.log)

    def _retried_by(self, log: ExecutionId) -> frozenset[str]:
        """The failed executions from whose histories this one began, one after the other."""
        found: set[str] = set()
        for _ in range(_MOST_RETRIES):
            first = self._first(log)
            if first is None or first.retry_of is None:
                break
            log = ExecutionId(first.retry_of.workflow_execution_id)
            found.add(log)
        return frozenset(found)

    def _has_continued(self, line: Line) -> bool:
        """Whether the log of the line is that of an execution which another has continued as, and which is still to begin."""
        tail = self._services.log.tail(LogKey(self._root.org, line.log_after(line.hops - 1)))
        end = unpack_events(tail)[-1].data if tail else None
        return isinstance(end, WorkflowCompleted) and end.continued_as == line.log

    # --- single events --------------------------------------------------------------------------

    def _first(self, log: ExecutionId) -> WorkflowStarted | None:
        """How a log begins; None where it has not begun, or is no execution's."""
        if log not in self._firsts:
            commit = self._services.log.commit_at(LogKey(self._root.org, log), 1)
            first = unpack_events(commit)[0].data if commit else None
            if not isinstance(first, WorkflowStarted):
                return None
            self._firsts[log] = first
        return self._firsts[log]

    def _look(self, log: ExecutionId, sequence: int) -> Event | None:
        """The event of a log at a sequence. Siblings are often asked for in one commit, which is read once."""
        known = self._looked_at.get(log)
        if known is None or not known.sequence <= sequence <= known.last_sequence:
            known = self._commit_at(log, sequence)
            if known is None:
                return None
            self._looked_at[log] = known
        return unpack_events(known)[sequence - known.sequence]

    def _commit_at(self, log: ExecutionId, sequence: int) -> Commit | None:
        key = LogKey(self._root.org, log)
        try:
            return self._services.log.commit_at(key, sequence)
        except LogCorrupted:
            tail = self._services.log.tail(key)
            if tail is None or tail.expires_at_ms is not None:
                raise _cursor_expired() from None
            raise


def _cursor_expired() -> Gone:
    return Gone("what follows this position is not kept any more", code="CURSOR_EXPIRED")
