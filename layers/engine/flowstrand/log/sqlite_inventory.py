"""Every commit of a SQLite file."""

from __future__ import annotations

from collections.abc import Iterator

from flowstrand.engine.ids import OrgId
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.sqlite_database import SqliteDatabase

_PAGE = 256
_COMMITS = """
SELECT execution, sequence, count, events, written_at, commit_id
FROM log_commits WHERE (execution, sequence) > (?, ?) ORDER BY execution, sequence LIMIT ?
"""


_KEYS = """
SELECT execution FROM log_commits
WHERE sequence = 1 AND execution > ? AND execution >= ? AND execution < ? ORDER BY execution LIMIT ?
"""


class SqliteInventory:
    """A `LogInventory`."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    def commits(self) -> Iterator[Commit]:
        """See `LogInventory.commits`."""
        log, sequence = "", 0
        while rows := self._database.execute(_COMMITS, (log, sequence, _PAGE)):
            for log, sequence, count, events, written_at, commit_id in rows:
                yield Commit(
                    key=LogKey.parse(log),
                    sequence=sequence,
                    count=count,
                    events=events,
                    written_at_ms=written_at,
                    commit_id=commit_id,
                )

    def keys(self, org: OrgId) -> Iterator[LogKey]:
        """See `LogInventory.keys`."""
        log = ""
        while rows := self._database.execute(_KEYS, (log, f"{org}#", f"{org}$", _PAGE)):  # `$` comes after `#`
            for (log,) in rows:
                yield LogKey.parse(log)
