"""`NotifyingLog`: an event log that says when it has grown; what a table's stream is in AWS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowstrand.log.port import Commit, EventLog, LogKey


class NotifyingLog:
    """An `EventLog` around another. Every successful append is announced, after it is durable, to each listener.

    Announcements may come twice (an append repeated after a lost reply) and in another order than the commits. A listener must
    return quickly and not raise: it runs in the writer's thread.
    """

    def __init__(self, inner: EventLog, listeners: Sequence[Callable[[Commit], None]]) -> None:
        self._inner = inner
        self._listeners = tuple(listeners)

    def append(self, commit: Commit) -> None:
        """See `EventLog.append`."""
        self._inner.append(commit)
        for listener in self._listeners:
            listener(commit)

    def tail(self, key: LogKey) -> Commit | None:
        """See `EventLog.tail`."""
        return self._inner.tail(key)

    def commit_at(self, key: LogKey, sequence: int) -> Commit | None:
        """See `EventLog.commit_at`."""
        return self._inner.commit_at(key, sequence)

    def read(
        self, key: LogKey, *, after: int, limit: int | None = None, consistent: bool = True
    ) -> Sequence[Commit]:
        """See `EventLog.read`."""
        return self._inner.read(key, after=after, limit=limit, consistent=consistent)

    def news(self, key: LogKey, *, after: int, limit: int, consistent: bool = False) -> Sequence[Commit]:
        """See `EventLog.news`."""
        return self._inner.news(key, after=after, limit=limit, consistent=consistent)
