"""`LocalChanges`: tells readers of a log, on whatever event loop they wait, that it has grown."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

from flowstrand.local.waiter import Waiter
from flowstrand.log.port import LogKey

_REMEMBERED = 4_096
"""Logs whose tail is remembered, so that an append between a reader's read and its wait is not missed."""


class LocalChanges:
    """`Changes` for one process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tails: OrderedDict[LogKey, int] = OrderedDict()
        self._waiters: dict[LogKey, set[Waiter]] = {}

    def notify(self, key: LogKey, sequence: int) -> None:
        """The log now reaches `sequence`."""
        with self._lock:
            self._tails[key] = max(sequence, self._tails.pop(key, 0))
            while len(self._tails) > _REMEMBERED:
                self._tails.popitem(last=False)
            waiters = self._waiters.pop(key, set())
        for waiter in waiters:
            waiter.tell()

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        """See `Changes.changed`."""
        waiter = Waiter()
        with self._lock:
            if self._tails.get(key, 0) > after:
                return
            self._waiters.setdefault(key, set()).add(waiter)
        try:
            await waiter.told(timeout_ms / 1_000)
        finally:
            self._forget(key, waiter)

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:
        """See `Changes.any_changed`."""
        waiter = Waiter()
        with self._lock:
            if grown := self._grown(after):
                return grown
            for key in after:
                self._waiters.setdefault(key, set()).add(waiter)
        try:
            await waiter.told(timeout_ms / 1_000)
        finally:
            for key in after:
                self._forget(key, waiter)
        with self._lock:
            return self._grown(after)

    def _grown(self, after: Mapping[LogKey, int]) -> frozenset[LogKey]:
        return frozenset(key for key, sequence in after.items() if self._tails.get(key, 0) > sequence)

    def _forget(self, key: LogKey, waiter: Waiter) -> None:
        with self._lock:
            waiters = self._waiters.get(key, set())
            waiters.discard(waiter)
            if not waiters:
                self._waiters.pop(key, None)
