"""Payloads in SQLite, in the same file as the log."""

from __future__ import annotations

from flowstrand.engine.ids import OrgId
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.payloads.digest import require_digest, verified

_SCHEMA = """
CREATE TABLE IF NOT EXISTS payloads (
    org    TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    body   BLOB NOT NULL,
    puts   INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (org, sha256)
)
"""
_COLUMNS = "SELECT name FROM pragma_table_info('payloads')"
_PUTS_COLUMN = "ALTER TABLE payloads ADD COLUMN puts INTEGER NOT NULL DEFAULT 1"
# Each put counts, so that whoever deletes a value that nobody refers to sees that it has just been stored again.
_PUT = """
INSERT INTO payloads (org, sha256, body) VALUES (?, ?, ?) ON CONFLICT (org, sha256) DO UPDATE SET puts = puts + 1
"""
_GET = "SELECT body FROM payloads WHERE org = ? AND sha256 = ?"
_SIZE = "SELECT length(body) FROM payloads WHERE org = ? AND sha256 = ?"


class SqlitePayloads:
    """A `PayloadStore` in one table."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        with database.transaction():
            database.execute(_SCHEMA)
            if ("puts",) not in database.execute(_COLUMNS):
                database.execute(_PUTS_COLUMN)

    def put(self, org: OrgId, sha256: str, body: bytes) -> None:
        """See `PayloadStore.put`.

        Raises:
            ValueError: `sha256` is not the digest of `body`.
        """
        require_digest(sha256, body)
        self._database.execute(_PUT, (org, sha256, body))

    def get(self, org: OrgId, sha256: str) -> bytes:
        """See `PayloadStore.get`."""
        rows = self._database.execute(_GET, (org, sha256))
        return verified(sha256, rows[0][0] if rows else None)

    def size_of(self, org: OrgId, sha256: str) -> int | None:
        """See `PayloadStore.size_of`."""
        rows = self._database.execute(_SIZE, (org, sha256))
        return int(rows[0][0]) if rows else None
