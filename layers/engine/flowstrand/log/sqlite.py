"""The log in SQLite: the embedded store of the local server and of the test kit."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from flowstrand.log.port import Commit, LogKey
from flowstrand.log.rows import RowLog
from flowstrand.log.sqlite_database import SqliteDatabase

_SCHEMA = """
CREATE TABLE IF NOT EXISTS log_commits (
    execution     TEXT    NOT NULL,
    sequence      INTEGER NOT NULL CHECK (sequence >= 1),
    count         INTEGER NOT NULL CHECK (count >= 1),
    events        BLOB    NOT NULL,
    written_at    INTEGER NOT NULL,
    commit_id     TEXT    NOT NULL,
    checkpoint    BLOB,
    checkpoint_at INTEGER,
    expires_at    INTEGER,
    PRIMARY KEY (execution, sequence)
)
"""
_EXPIRY_COLUMN = "ALTER TABLE log_commits ADD COLUMN expires_at INTEGER"
_EXPIRY_INDEX = "CREATE INDEX IF NOT EXISTS log_expiry ON log_commits (expires_at) WHERE expires_at IS NOT NULL"
_COLUMNS = "SELECT name FROM pragma_table_info('log_commits')"
_PUT = """
INSERT INTO log_commits
    (execution, sequence, count, events, written_at, commit_id, checkpoint, checkpoint_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_STANDING = "SELECT commit_id FROM log_commits WHERE execution = ? AND sequence = ?"
_NEWEST = """
SELECT sequence, count, events, written_at, commit_id, checkpoint, checkpoint_at, expires_at
FROM log_commits WHERE execution = ? AND sequence <= ? ORDER BY sequence DESC LIMIT 1
"""
_FOLLOWING = """
SELECT sequence, count, events, written_at, commit_id, checkpoint, checkpoint_at, expires_at
FROM log_commits WHERE execution = ? AND sequence > ? ORDER BY sequence LIMIT ?
"""
_HIGHEST_SEQUENCE = 2**63 - 1
_PAGE_ROWS = 64


class SqliteLog(RowLog):
    """An `EventLog` in one SQLite file; several processes may use the file at once."""

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(SqliteRows(database))


def create_log_table(database: SqliteDatabase) -> None:
    """Create the table, or add what one of an earlier version lacks."""
    with database.transaction():
        database.execute(_SCHEMA)
        if ("expires_at",) not in database.execute(_COLUMNS):
            database.execute(_EXPIRY_COLUMN)
        database.execute(_EXPIRY_INDEX)


class SqliteRows:
    """`CommitRows` in a table. Every read is consistent."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        create_log_table(database)

    def put(self, commit: Commit) -> str | None:
        """See `CommitRows.put`."""
        try:
            self._database.execute(_PUT, _row(commit))
        except sqlite3.IntegrityError:
            standing = self._database.execute(_STANDING, (str(commit.key), commit.sequence))
            if not standing:  # not a taken key: the row itself is wrong
                raise
            return str(standing[0][0])
        return None

    def newest(
        self,
        key: LogKey,
        *,
        up_to: int | None,
        consistent: bool,  # noqa: ARG002 - every read here is
    ) -> Commit | None:
        """See `CommitRows.newest`."""
        highest = _HIGHEST_SEQUENCE if up_to is None else min(up_to, _HIGHEST_SEQUENCE)
        rows = self._database.execute(_NEWEST, (str(key), highest))
        return _commit(key, rows[0]) if rows else None

    def following(
        self,
        key: LogKey,
        sequence: int,
        *,
        page: int | None,
        consistent: bool,  # noqa: ARG002 - every read here is
    ) -> Iterator[Commit]:
        """See `CommitRows.following`."""
        size = _PAGE_ROWS if page is None else min(page, _PAGE_ROWS)
        while sequence < _HIGHEST_SEQUENCE:
            rows = self._database.execute(_FOLLOWING, (str(key), sequence, size))
            for row in rows:
                yield _commit(key, row)
            if len(rows) < size:
                return
            sequence = rows[-1][0]


def _row(commit: Commit) -> tuple[str | int | bytes | None, ...]:
    return (
        str(commit.key),
        commit.sequence,
        commit.count,
        commit.events,
        commit.written_at_ms,
        commit.commit_id,
        commit.checkpoint,
        commit.checkpoint_at,
    )


def _commit(key: LogKey, row: tuple[Any, ...]) -> Commit:
    sequence, count, events, written_at, commit_id, checkpoint, checkpoint_at, expires_at = row
    return Commit(
        key=key,
        sequence=sequence,
        count=count,
        events=events,
        written_at_ms=written_at,
        commit_id=commit_id,
        checkpoint=checkpoint,
        checkpoint_at=checkpoint_at,
        expires_at_ms=expires_at,
    )
