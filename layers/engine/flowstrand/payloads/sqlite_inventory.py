"""The payloads of a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator

from flowstrand.engine.ids import OrgId
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.payloads.inventory import StoredPayload

_PAGE = 1_000
_STORED = """
SELECT org, sha256, length(body), puts FROM payloads WHERE (org, sha256) > (?, ?) ORDER BY org, sha256 LIMIT ?
"""
_REMOVE = "DELETE FROM payloads WHERE org = ? AND sha256 = ? AND puts = ?"


class SqlitePayloadInventory:
    """A `PayloadInventory` of the table of `SqlitePayloads`."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def stored(self) -> Iterator[StoredPayload]:
        """See `PayloadInventory.stored`."""
        org, sha256 = "", ""
        while rows := self._database.execute(_STORED, (org, sha256, _PAGE)):
            for org, sha256, size, puts in rows:
                yield StoredPayload(org=OrgId(org), sha256=sha256, size=size, version=str(puts))

    def remove(self, payload: StoredPayload) -> None:
        """See `PayloadInventory.remove`."""
        self._database.execute(_REMOVE, (payload.org, payload.sha256, int(payload.version)))
