"""Letting commits go in SQLite: rows are deleted, at once or when their time has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flowstrand.log.port import LogKey
from flowstrand.log.retention import RowRetention
from flowstrand.log.sqlite import create_log_table
from flowstrand.log.sqlite_database import SqliteDatabase

_LAST = "SELECT max(sequence) FROM log_commits WHERE execution = ?"
_BETWEEN = """
SELECT sequence FROM log_commits WHERE execution = ? AND sequence > 1 AND sequence < ? ORDER BY sequence LIMIT ?
"""
_MARK = "UPDATE log_commits SET expires_at = ? WHERE execution = ? AND sequence = ? AND expires_at IS NULL"
_LET_GO = "DELETE FROM log_commits WHERE execution = ? AND sequence = ?"
_PURGE = "DELETE FROM log_commits WHERE expires_at <= ?"


class SqliteRetention(RowRetention):
    """A `LogRetention` for the file of a `SqliteLog`."""

    def __init__(self, database: SqliteDatabase, *, also_purge: Callable[[int], None] | None = None) -> None:
        """`also_purge` deletes what else of the file has had its time, given the epoch milliseconds of now."""
        super().__init__(SqliteRetentionRows(database))
        self._also_purge = also_purge

    def purge(self, now_ms: int) -> None:
        """See `LogRetention.purge`."""
        super().purge(now_ms)
        if self._also_purge is not None:
            self._also_purge(now_ms)


class SqliteRetentionRows:
    """`RetentionRows` in the log's table."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        create_log_table(database)

    def last(self, key: LogKey) -> int | None:
        """See `RetentionRows.last`."""
        last: int | None = self._database.execute(_LAST, (str(key),))[0][0]
        return last

    def unmarked_between(self, key: LogKey, last: int, limit: int) -> Sequence[int]:
        """See `RetentionRows.unmarked_between`."""
        return [row[0] for row in self._database.execute(_BETWEEN, (str(key), last, limit))]

    def mark(self, key: LogKey, sequence: int, expires_at_ms: int) -> None:
        """See `RetentionRows.mark`."""
        self._database.execute(_MARK, (expires_at_ms, str(key), sequence))

    def let_go(self, key: LogKey, sequence: int, now_ms: int) -> None:  # noqa: ARG002 - the port's
        """See `RetentionRows.let_go`."""
        self._database.execute(_LET_GO, (str(key), sequence))

    def purge(self, now_ms: int) -> None:
        """See `LogRetention.purge`."""
        self._database.execute(_PURGE, (now_ms,))
