"""Reading a log without ever skipping a gap (law 2).

A commit must begin where the one before it ended. A replica that lags may show a later commit and not yet an
earlier one: such a read is thrown away and made again consistently. A gap that a consistent read sees is damage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from flowstrand.errors import LogCorrupted
from flowstrand.log.port import Commit, LogKey

if TYPE_CHECKING:
    from flowstrand.log.rows import CommitRows


def read_contiguous(
    rows: CommitRows, key: LogKey, *, after: int, limit: int | None, consistent: bool
) -> list[Commit]:
    """Commits that hold events beyond `after`, as `EventLog.read` promises them.

    Reads the rows behind `after`; and the one that may hold `after + 1` unless the first of them does. The cost is that of
    the answer, wherever in the history it lies (law 11).

    Raises:
        LogCorrupted: a consistent read found a gap.
    """
    if limit is not None and limit < 1:
        return []
    if not consistent:
        try:
            return _take(_linked(rows, key, after, limit, consistent=False), after, limit)
        except LogCorrupted:
            pass  # perhaps only a lagging replica: the consistent read below decides
    return _take(_linked(rows, key, after, limit, consistent=True), after, limit)


def read_news(rows: CommitRows, key: LogKey, *, after: int, limit: int, consistent: bool) -> list[Commit]:
    """Commits behind the one that ends with `after`, as `EventLog.news` promises them.

    Only what begins behind `after` is looked for. A gap makes it a consistent read like any other.

    Raises:
        LogCorrupted: a consistent read found a gap.
    """
    try:
        return _take(
            _chained(rows.following(key, after, page=limit, consistent=consistent), key, after), after, limit
        )
    except LogCorrupted:
        return read_contiguous(rows, key, after=after, limit=limit, consistent=True)


def _linked(rows: CommitRows, key: LogKey, after: int, limit: int | None, *, consistent: bool) -> Iterator[Commit]:
    """Commits from the one that may hold `after + 1`, each beginning where the one before it ended."""
    behind = rows.following(key, after, page=limit, consistent=consistent)
    first = next(behind, None)
    ended = after
    is_adjacent = first is not None and first.sequence == after + 1
    if after > 0 and not is_adjacent:  # `after` is in the middle of a commit, or the end
        holder = rows.newest(key, up_to=after + 1, consistent=consistent)
        ended = holder.last_sequence if holder else 0
        if holder:
            yield holder
    yield from _chained(behind if first is None else chain([first], behind), key, ended)


def _chained(commits: Iterable[Commit], key: LogKey, ended: int) -> Iterator[Commit]:
    """`commits`, each of which must begin where the one before it ended, the first behind `ended`."""
    for commit in commits:
        if commit.sequence != ended + 1:
            raise LogCorrupted(f"{key} goes on at {commit.sequence} after {ended}")
        yield commit
        ended = commit.last_sequence


def _take(linked: Iterator[Commit], after: int, limit: int | None) -> list[Commit]:
    """The commits of `linked` with events beyond `after`, until there are `limit` such events."""
    taken: list[Commit] = []
    for commit in linked:
        if commit.last_sequence > after:
            taken.append(commit)
            if limit is not None and commit.last_sequence - after >= limit:
                break
    return taken
