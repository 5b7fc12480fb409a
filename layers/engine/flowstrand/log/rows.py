"""`CommitRows`, the few row operations a store must offer, and `RowLog`, the `EventLog` that they make.

Everything that decides whether a log is sound is here, once, for every store: what a taken key means, and that a
read is contiguous (`log.contiguity`). A store only puts, finds and lists rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from flowstrand.errors import PayloadTooLarge
from flowstrand.log.contiguity import read_contiguous, read_news
from flowstrand.log.port import AppendConflict, Commit, LogKey

MAX_COMMIT_BYTES = 380 * 1024
"""The most that a commit and its checkpoint may hold: DynamoDB's limit of 400 KB per item, less room for keys."""


class CommitRows(Protocol):
    """Rows of commits, keyed by log and first sequence. Every method raises `StoreUnavailable`."""

    def put(self, commit: Commit) -> str | None:
        """Write the row if its key is free: None when written, else the commit id of the row that stands there."""
        ...

    def newest(self, key: LogKey, *, up_to: int | None, consistent: bool) -> Commit | None:
        """The row with the highest sequence, not above `up_to` if given. Reads one row."""
        ...

    def following(self, key: LogKey, sequence: int, *, page: int | None, consistent: bool) -> Iterator[Commit]:
        """Rows with a sequence above `sequence`, ascending, fetched page by page as they are consumed.

        Args:
            page: how many rows the caller is likely to take; no page is larger.
        """
        ...


class RowLog:
    """An `EventLog` over rows."""

    def __init__(self, rows: CommitRows) -> None:
        self._rows = rows

    def append(self, commit: Commit) -> None:
        """See `EventLog.append`.

        Raises:
            AppendConflict: another commit begins there.
            PayloadTooLarge: the commit is larger than a row may be (`COMMIT_TOO_LARGE`).
            StoreUnavailable: it may or may not have been written; append the same commit again.
        """
        _require_sound(commit)
        standing = self._rows.put(commit)
        if standing is not None and standing != commit.commit_id:
            raise AppendConflict(f"a commit begins at {commit.sequence} of {commit.key}")

    def tail(self, key: LogKey) -> Commit | None:
        """See `EventLog.tail`."""
        return self._rows.newest(key, up_to=None, consistent=True)

    def commit_at(self, key: LogKey, sequence: int) -> Commit | None:
        """See `EventLog.commit_at`.

        Raises:
            LogCorrupted: `sequence` lies in a gap.
        """
        if sequence < 1:
            return None
        holder = self._rows.newest(key, up_to=sequence, consistent=True)
        if holder is not None and holder.last_sequence >= sequence:
            return holder
        commits = self.read(key, after=sequence - 1, limit=1)
        return commits[0] if commits else None

    def read(
        self, key: LogKey, *, after: int, limit: int | None = None, consistent: bool = True
    ) -> Sequence[Commit]:
        """See `EventLog.read`."""
        return read_contiguous(self._rows, key, after=after, limit=limit, consistent=consistent)

    def news(self, key: LogKey, *, after: int, limit: int, consistent: bool = False) -> Sequence[Commit]:
        """See `EventLog.news`. One query, unless there is a gap."""
        return read_news(self._rows, key, after=after, limit=limit, consistent=consistent)


def _require_sound(commit: Commit) -> None:
    """Refuse what no writer may ask for, before the store sees it."""
    if commit.sequence < 1 or commit.count < 1:
        raise ValueError(f"a commit of {commit.count} events cannot begin at {commit.sequence}")
    size = len(commit.events) + len(commit.checkpoint or b"")
    if size > MAX_COMMIT_BYTES:
        message = f"a commit of {size} bytes is over the limit of {MAX_COMMIT_BYTES}"
        raise PayloadTooLarge(message, code="COMMIT_TOO_LARGE")
