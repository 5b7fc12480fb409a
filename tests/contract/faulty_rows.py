"""`FaultyRows`: one fault wrapper around the rows of any store.

It loses requests and replies of puts, repeats puts as a client library does, cuts pages short, and serves eventually
consistent reads from a replica that lags or has holes. Consistent reads are never touched.
"""

from __future__ import annotations

from collections.abc import Iterator

from flowstrand.errors import StoreUnavailable
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.rows import CommitRows


class FaultyRows:
    """Rows behind faults that a test switches on.

    Attributes:
        lost_requests: how many of the next puts fail before they reach the store.
        lost_replies: how many of the next puts fail after they have reached it.
        repeats_puts: each put reaches the store twice, and the second answer is what the writer gets.
        replica_end: sequences from here on are missing on the replica; None for a replica that keeps up.
        replica_holes: first sequences of commits that are missing on the replica.
        page: no page is larger.
        rows_read: how many rows have been handed out.
        queries: what was asked for, and whether consistently.
    """

    def __init__(self, rows: CommitRows) -> None:
        self._rows = rows
        self.lost_requests = 0
        self.lost_replies = 0
        self.repeats_puts = False
        self.replica_end: int | None = None
        self.replica_holes: frozenset[int] = frozenset()
        self.page: int | None = None
        self.rows_read = 0
        self.queries: list[tuple[str, bool]] = []

    def put(self, commit: Commit) -> str | None:
        if self.lost_requests:
            self.lost_requests -= 1
            raise StoreUnavailable("the request was lost")
        standing = self._rows.put(commit)
        if self.repeats_puts:
            standing = self._rows.put(commit)
        if self.lost_replies:
            self.lost_replies -= 1
            raise StoreUnavailable("the reply was lost")
        return standing

    def newest(self, key: LogKey, *, up_to: int | None, consistent: bool) -> Commit | None:
        self.queries.append(("newest", consistent))
        commit = self._rows.newest(key, up_to=up_to, consistent=consistent)
        while commit is not None and not self._is_visible(commit, consistent=consistent):
            commit = self._rows.newest(key, up_to=commit.sequence - 1, consistent=consistent)
        self.rows_read += commit is not None
        return commit

    def following(self, key: LogKey, sequence: int, *, page: int | None, consistent: bool) -> Iterator[Commit]:
        self.queries.append(("following", consistent))
        smallest = min((size for size in (page, self.page) if size is not None), default=None)
        for commit in self._rows.following(key, sequence, page=smallest, consistent=consistent):
            if self._is_visible(commit, consistent=consistent):
                self.rows_read += 1
                yield commit

    def _is_visible(self, commit: Commit, *, consistent: bool) -> bool:
        if consistent:
            return True
        behind = self.replica_end is not None and commit.sequence >= self.replica_end
        return not behind and commit.sequence not in self.replica_holes
