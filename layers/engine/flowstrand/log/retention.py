"""`LogRetention`: the port of the janitor, the only one who may let commits go. No writer has it.

A log expires in an order that leaves no moment at which it could be taken for another: first its last commit is marked, by
which everybody knows; then all between the first and the last go; the first is marked when they have gone. Of those two the
first is kept for longer: while it is there, nobody can begin a log of that name, and without the last, nothing can
be appended to it, since what is marked is not read as a log that goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from flowstrand.log.port import LogKey

DAY_MS = 86_400_000
KEPT_MS = 90 * DAY_MS
"""For how long the last commit is kept once the log has expired."""
NAME_KEPT_MS = KEPT_MS + 7 * DAY_MS
"""For how long the first is."""


class LogRetention(Protocol):
    """Lets logs expire. Every method raises `StoreUnavailable`, after which some of it may have been done."""

    def expire(self, key: LogKey, *, now_ms: int, limit: int, keeps_ends: bool = True) -> bool:
        """Let a log that has ended expire, as of now. Repeating it goes on where it was left.

        Args:
            limit: how many commits to let go at most.
            keeps_ends: whether the last commit and the first are kept for as long as the log's name must not be used again.

        Returns:
            Whether all of it is done.
        """
        ...

    def purge(self, now_ms: int) -> None:
        """Delete what is kept no longer, where the store does not do so by itself."""
        ...


class RetentionRows(Protocol):
    """What a store offers for it. Each method is one request."""

    def last(self, key: LogKey) -> int | None:
        """The sequence of the newest commit, read consistently."""
        ...

    def unmarked_between(self, key: LogKey, last: int, limit: int) -> Sequence[int]:
        """Sequences of commits behind the first and before `last` that have not been let go, at most `limit`."""
        ...

    def mark(self, key: LogKey, sequence: int, expires_at_ms: int) -> None:
        """Say until when a commit is kept, if it is there and has not been said."""
        ...

    def let_go(self, key: LogKey, sequence: int, now_ms: int) -> None:
        """Keep a commit no longer."""
        ...

    def purge(self, now_ms: int) -> None:
        """See `LogRetention.purge`."""
        ...


class RowRetention:
    """A `LogRetention` over rows."""

    def __init__(self, rows: RetentionRows) -> None:
        self._rows = rows

    def expire(self, key: LogKey, *, now_ms: int, limit: int, keeps_ends: bool = True) -> bool:
        """See `LogRetention.expire`."""
        last = self._rows.last(key)
        if last is None:
            return True
        kept_ms, name_kept_ms = (KEPT_MS, NAME_KEPT_MS) if keeps_ends else (0, 0)
        self._rows.mark(key, last, now_ms + (kept_ms if last > 1 else name_kept_ms))
        between = self._rows.unmarked_between(key, last, limit)
        for sequence in between:
            self._rows.let_go(key, sequence, now_ms)
        if len(between) == limit:
            return False
        self._rows.mark(key, 1, now_ms + name_kept_ms)
        return True

    def purge(self, now_ms: int) -> None:
        """See `LogRetention.purge`."""
        self._rows.purge(now_ms)
