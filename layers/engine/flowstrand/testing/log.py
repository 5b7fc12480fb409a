"""`WatchedLog`: the log of one world, which knows whose logs it holds and strikes turns that are to die."""

from __future__ import annotations

from collections.abc import Sequence

from flowstrand.log.port import Commit, EventLog, LogKey
from flowstrand.testing.faults import EngineFaults


class WatchedLog:
    """An `EventLog` around another.

    Attributes:
        keys: of every log that was ever written, in the order of their creation.
    """

    def __init__(self, inner: EventLog, faults: EngineFaults) -> None:
        self._inner = inner
        self._faults = faults
        self.keys: list[LogKey] = []

    def append(self, commit: Commit) -> None:
        """See `EventLog.append`."""
        self._faults.strike(commit, "before_commit")
        self._inner.append(commit)
        if commit.sequence == 1 and commit.key not in self.keys:
            self.keys.append(commit.key)
        self._faults.strike(commit, "after_commit")

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
