"""`LatelyRead`: what a process has read of the directory lately, so that it need not be read at each request."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
FoundT = TypeVar("FoundT")


class LatelyRead(Generic[KeyT, FoundT]):
    """By key, for a while; what was read least lately is dropped first. Thread-safe."""

    def __init__(self, *, kept_ms: int, capacity: int) -> None:
        """`kept_ms` later, a value is read again; at most `capacity` are kept."""
        self._kept_ms = kept_ms
        self._capacity = capacity
        self._lock = Lock()
        self._known: OrderedDict[KeyT, tuple[int, FoundT]] = OrderedDict()

    def get(self, key: KeyT, now_ms: int, read: Callable[[], FoundT]) -> FoundT:
        """What `read` says, or said not long ago. Where it raises, nothing is kept."""
        with self._lock:
            known = self._known.get(key)
        if known is not None and 0 <= now_ms - known[0] < self._kept_ms:
            return known[1]
        found = read()
        with self._lock:
            self._known[key] = (now_ms, found)
            self._known.move_to_end(key)
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return found
