"""Where open logs stood when this process last looked, so that the next look reads only what came after."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from flowstrand.log.port import LogKey

if TYPE_CHECKING:
    from flowstrand.service.append import Tip

_CAPACITY = 64


class TipCache:
    """At most `capacity` tips, least recently used out first.

    A tip is a fact, since commits never change: however old, what follows it in the log makes it new. What it does not tell
    is whether the log is still there. Tips of ended logs, to which nothing more is written, are not kept.
    """

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._tips: OrderedDict[LogKey, Tip] = OrderedDict()
        self._lock = Lock()

    def newest(self, key: LogKey) -> Tip | None:
        """The newest tip of a log that this process has seen, if it still keeps it."""
        with self._lock:
            if key in self._tips:
                self._tips.move_to_end(key)
            return self._tips.get(key)

    def note(self, tip: Tip) -> None:
        """Keep a tip unless a newer one is here."""
        with self._lock:
            known = self._tips.get(tip.key)
            if tip.state.closed:
                self._tips.pop(tip.key, None)
            elif known is None or known.state.sequence < tip.state.sequence:
                self._tips[tip.key] = tip
                self._tips.move_to_end(tip.key)
                if len(self._tips) > self._capacity:
                    self._tips.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, as the end of the process would."""
        with self._lock:
            self._tips.clear()
