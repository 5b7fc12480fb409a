"""`SharedPages`: pages that one reader has read and others, who come to the same place, need not read again.

Commits never change, so a page that goes forward is true for ever for whoever stands where it begins. What may have changed since is
only that more has come behind it. A page that does not go forward is no fact, and is not kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import field
from threading import Lock
from typing import TYPE_CHECKING

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import EventType
from flowstrand.log.port import LogKey

if TYPE_CHECKING:
    from flowstrand.service.history import HistoryPage

_MOST_PAGES = 512
_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Where readers stand who get the same page: behind `after` in one log, looking for the same types, None being all."""

    key: LogKey
    after: int
    types: frozenset[EventType] | None


@dataclass(frozen=True, slots=True, eq=False)
class SharedPage:
    """A page, and what has been made of it. Not to be changed."""

    page: HistoryPage
    _encoded: dict[str, bytes] = field(default_factory=dict, repr=False)

    def encoded(self, form: str, encode: Callable[[HistoryPage], bytes]) -> bytes:
        """The page as bytes, made by the first who asks for this form; `encode` must make the same of it every time."""
        made = self._encoded.get(form)
        if made is None:
            made = self._encoded.setdefault(form, encode(self.page))
        return made


class SharedPages:
    """The pages used last, by place. Thread-safe."""

    def __init__(self, most_pages: int = _MOST_PAGES, most_bytes: int = _MOST_BYTES) -> None:
        """Keeps `most_pages`, and of their events' data `most_bytes`; none where either is 0."""
        self._most_pages = most_pages
        self._most_bytes = most_bytes
        self._pages: OrderedDict[Place, SharedPage] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def at(self, place: Place) -> SharedPage | None:
        """The page that begins there, if it is kept."""
        with self._lock:
            if place in self._pages:
                self._pages.move_to_end(place)
            return self._pages.get(place)

    def share(self, place: Place, page: HistoryPage) -> SharedPage:
        """`page`, which was read at `place`, for everyone."""
        shared = SharedPage(page)
        if page.next_after > place.after and page.size <= self._most_bytes:
            with self._lock:
                self._keep(place, shared)
        return shared

    def _keep(self, place: Place, shared: SharedPage) -> None:
        replaced = self._pages.pop(place, None)
        self._bytes += shared.page.size - (replaced.page.size if replaced else 0)
        self._pages[place] = shared
        while len(self._pages) > self._most_pages or self._bytes > self._most_bytes:
            _, dropped = self._pages.popitem(last=False)
            self._bytes -= dropped.page.size
