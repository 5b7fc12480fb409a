"""`FreshPages`: what has been committed a moment ago, for those who wait for it, without their asking the store."""

from __future__ import annotations

from flowstrand.engine.events import Event
from flowstrand.engine.ids import is_channel_log
from flowstrand.engine.schema import PayloadRef, payload_fields
from flowstrand.local.changes import LocalChanges
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit
from flowstrand.service.history import DEFAULT_LIMIT, HistoryPage, size_of
from flowstrand.service.shared_pages import Place, SharedPages


class FreshPages:
    """A listener of a `NotifyingLog`. The page that a commit is, is shared before readers are told of it.

    A channel's commits hold no events, and its readers read them for themselves.
    """

    def __init__(self, pages: SharedPages, changes: LocalChanges) -> None:
        self._pages = pages
        self._changes = changes

    def announce(self, commit: Commit) -> None:
        """Tell whoever waits for it; called once the commit can be read."""
        if self._is_page_awaited(commit):
            events = tuple(unpack_events(commit))
            if not any(map(_refers, events)):
                self._pages.share(Place(commit.key, commit.sequence - 1, None), _page(commit, events))
        self._changes.notify(commit.key, commit.last_sequence)

    def _is_page_awaited(self, commit: Commit) -> bool:
        if is_channel_log(commit.key.execution_id) or commit.count > DEFAULT_LIMIT:
            return False
        return self._changes.is_awaited(commit.key)


def _page(commit: Commit, events: tuple[Event, ...]) -> HistoryPage:
    """As a reader would have found it who had come between this commit and the next."""
    return HistoryPage(
        events=events,
        next_after=commit.last_sequence,
        up_to_date=True,
        closed=events[-1].is_terminal,
        size=sum(map(size_of, events)),
    )


def _refers(event: Event) -> bool:
    """Whether a value of it is in the payload store; whoever shows it has to fetch that."""
    return any(isinstance(getattr(event.data, name), PayloadRef) for name, _ in payload_fields(type(event.data)))
