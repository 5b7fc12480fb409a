"""`Turnstile`: writers of one log in one process go one behind the other, instead of conflicting.

Nothing depends on it: the conditional append is the fence (law 2). But where many threads share a process, what one of them decides
while another appends is work thrown away, its checkpoint above all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import RLock
from typing import Protocol

from flowstrand.log.port import LogKey


class Turnstile(Protocol):
    """Lets writers of one log through one at a time, or all at once."""

    def alone(self, key: LogKey) -> AbstractContextManager[None]:
        """Held while a writer of `key` decides and appends."""
        ...


class OpenTurnstile:
    """For a process that serves one request at a time: nobody waits."""

    def alone(self, key: LogKey) -> AbstractContextManager[None]:  # noqa: ARG002 - the protocol's
        """See `Turnstile.alone`."""
        return nullcontext()


class ThreadTurnstile:
    """For a process of many threads. A thread that is through may go through again."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._passages: dict[LogKey, tuple[RLock, int]] = {}

    def writers(self) -> Mapping[LogKey, int]:
        """How many writers each log has now, the waiting ones included; logs without one are not kept."""
        with self._lock:
            return {key: count for key, (_, count) in self._passages.items()}

    @contextmanager
    def alone(self, key: LogKey) -> Iterator[None]:
        """See `Turnstile.alone`."""
        with self._lock:
            passage, waiting = self._passages.get(key, (RLock(), 0))
            self._passages[key] = passage, waiting + 1
        try:
            with passage:
                yield
        finally:
            with self._lock:
                passage, waiting = self._passages[key]
                if waiting == 1:
                    del self._passages[key]
                else:
                    self._passages[key] = passage, waiting - 1
