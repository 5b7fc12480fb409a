"""Reading a log without ever skipping a gap (law 2).

A commit must begin where the one before it ended. A replica that lags may show a later commit and not yet an
earlier one: such a read is thrown away and made again consistently. A gap that a consistent read sees is damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowstrand.errors import LogCorrupted
from flowstrand.log.port import Commit, LogKey

if TYPE_CHECKING:
    from flowstrand.log.rows import CommitRows


def read_contiguous(
    rows: CommitRows, key: LogKey, *, after: int, limit: int | None, consistent: bool
) -> list[Commit]:
    """Commits that hold events beyond `after`, as `EventLog.read` promises them.

    Reads the row that may hold `after + 1`, then only rows behind it: the cost is that of the answer, wherever in
    the history it lies (law 11).

    Raises:
        LogCorrupted: a consistent read found a gap.
    """
    if limit is not None and limit < 1:
        return []
    if not consistent:
        try:
            return _take(_chain(rows, key, after, limit, consistent=False), after, limit)
        except LogCorrupted:
            pass  # perhaps only a lagging replica: the consistent read below decides
    return _take(_chain(rows, key, after, limit, consistent=True), after, limit)


def _chain(rows: CommitRows, key: LogKey, after: int, limit: int | None, *, consistent: bool) -> Iterator[Commit]:
    """Commits from the one that may hold `after + 1`, each beginning where the one before it ended."""
    first = rows.newest(key, up_to=after + 1, consistent=consistent)
    position, ended = 0, 0
    if first is not None:
        yield first
        position, ended = first.sequence, first.last_sequence
    for commit in rows.following(key, position, page=limit, consistent=consistent):
        if commit.sequence != ended + 1:
            raise LogCorrupted(f"{key} goes on at {commit.sequence} after {ended}")
        yield commit
        ended = commit.last_sequence


def _take(chain: Iterator[Commit], after: int, limit: int | None) -> list[Commit]:
    """The commits of `chain` with events beyond `after`, until there are `limit` such events."""
    taken: list[Commit] = []
    for commit in chain:
        if commit.last_sequence > after:
            taken.append(commit)
            if limit is not None and commit.last_sequence - after >= limit:
                break
    return taken
