"""The directory in SQLite, in the same file as the log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from flowstrand.directory.item_data import dump, load
from flowstrand.directory.port import Item, PreconditionFailed, Put, Write
from flowstrand.directory.together import require_sound
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.sqlite_database import SqliteDatabase

_SCHEMA = """
CREATE TABLE IF NOT EXISTS directory_items (
    partition  TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (partition, key)
)
"""
_EXPIRY_INDEX = """
CREATE INDEX IF NOT EXISTS directory_expiry ON directory_items (expires_at) WHERE expires_at IS NOT NULL
"""
_VERSION = "SELECT version FROM directory_items WHERE partition = ? AND key = ?"
_GET = "SELECT data, version FROM directory_items WHERE partition = ? AND key = ?"
_INSERT = "INSERT INTO directory_items (data, expires_at, partition, key, version) VALUES (?, ?, ?, ?, 1)"
_CREATE = f"{_INSERT} ON CONFLICT DO NOTHING RETURNING version"
_PUT = f"""
{_INSERT} ON CONFLICT DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at, version = version + 1
RETURNING version
"""
_REPLACE = """
UPDATE directory_items SET data = ?, expires_at = ?, version = version + 1
WHERE partition = ? AND key = ? AND version = ? RETURNING version
"""
_DELETE = "DELETE FROM directory_items WHERE partition = ? AND key = ?"
_DELETE_VERSION = f"{_DELETE} AND version = ? RETURNING version"
_SCAN = "SELECT key, data, version FROM directory_items WHERE partition = ? AND key > ? ORDER BY key LIMIT ?"
_PURGE = "DELETE FROM directory_items WHERE expires_at <= ?"


class SqliteDirectory:
    """A `Directory` in one table. Keys are ordered by their UTF-8 bytes, as in DynamoDB."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        database.create(_SCHEMA, _EXPIRY_INDEX)

    def get(self, partition: str, key: str) -> Item | None:
        """See `Directory.get`."""
        rows = self._database.execute(_GET, (partition, key))
        if not rows:
            return None
        data, version = rows[0]
        return Item(partition=partition, key=key, data=load(data), version=version)

    def put(
        self,
        partition: str,
        key: str,
        data: JsonObject,
        *,
        expect: int | None = None,
        expires_at_ms: int | None = None,
    ) -> Item:
        """See `Directory.put`.

        Raises:
            PreconditionFailed: it is not at version `expect`.
            PayloadTooLarge: `data` is larger than an item may be.
        """
        text = dump(partition, key, data)
        row = (text, expires_at_ms, partition, key)
        match expect:
            case None:
                written = self._database.execute(_PUT, row)
            case 0:
                written = self._database.execute(_CREATE, row)
            case _:
                written = self._database.execute(_REPLACE, (*row, expect))
        if not written:
            raise self._unmet(partition, key, expect)
        return Item(partition=partition, key=key, data=load(text), version=written[0][0])

    def delete(self, partition: str, key: str, *, expect: int | None = None) -> None:
        """See `Directory.delete`."""
        if expect is None:
            self._database.execute(_DELETE, (partition, key))
        elif not self._database.execute(_DELETE_VERSION, (partition, key, expect)) and (
            expect or self._version(partition, key)
        ):
            raise self._unmet(partition, key, expect)

    def get_many(self, names: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Item]:
        """See `Directory.get_many`."""
        found = {name: self.get(*name) for name in dict.fromkeys(names)}
        return {name: item for name, item in found.items() if item is not None}

    def delete_many(self, names: Collection[tuple[str, str]]) -> None:
        """See `Directory.delete_many`."""
        with self._database.transaction():
            for name in names:
                self.delete(*name)

    def write_together(self, writes: Sequence[Write]) -> None:
        """See `Directory.write_together`.

        Raises:
            PreconditionFailed: an item is not at the version that its write expects.
            PayloadTooLarge: an item is larger than one may be.
        """
        require_sound(writes)
        if not writes:
            return
        with self._database.transaction():
            for write in writes:
                self._write(write)

    def scan(self, partition: str, *, after: str = "", limit: int = 100) -> Sequence[Item]:
        """See `Directory.scan`."""
        rows = self._database.execute(_SCAN, (partition, after, max(limit, 0)))
        return [
            Item(partition=partition, key=key, data=load(data), version=version) for key, data, version in rows
        ]

    def purge(self, now_ms: int) -> None:
        """Delete what has expired; DynamoDB does this by itself."""
        self._database.execute(_PURGE, (now_ms,))

    def _write(self, write: Write) -> None:
        if isinstance(write, Put):
            expiry = write.expires_at_ms
            self.put(write.partition, write.key, write.data, expect=write.expect, expires_at_ms=expiry)
        else:
            self.delete(write.partition, write.key, expect=write.expect)

    def _unmet(self, partition: str, key: str, expect: int | None) -> PreconditionFailed:
        version = self._version(partition, key)
        return PreconditionFailed(f"{partition}/{key} is at version {version}, not {expect}")

    def _version(self, partition: str, key: str) -> int:
        """The version now, 0 if there is no item."""
        rows = self._database.execute(_VERSION, (partition, key))
        return int(rows[0][0]) if rows else 0
