"""The local server on SQLite, noting when each commit was made and what was read of its log: `python -m bench.watched_server dev …`.

At SIGUSR1 it writes what it has noted so far to the file that `BENCH_COMMITS` names, as JSON:
`{"<log>": {"commits": [[first, last, epoch ms], …], "queries": n}}`. A commit is made when its statement has returned: from then on it
survives a power cut, and a reader may see it.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from flowstrand.cli import main
from flowstrand.local import stores
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.rows import CommitRows, RowLog
from flowstrand.log.sqlite import SqliteRows


class Notes:
    """Commits and queries, by log. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._commits: dict[str, list[tuple[int, int, float]]] = {}
        self._queries: dict[str, int] = {}

    def committed(self, commit: Commit) -> None:
        """Now."""
        at_ms = time.time_ns() / 1e6
        with self._lock:
            self._commits.setdefault(str(commit.key), []).append((commit.sequence, commit.last_sequence, at_ms))

    def queried(self, key: LogKey) -> None:
        """One statement was executed."""
        with self._lock:
            self._queries[str(key)] = self._queries.get(str(key), 0) + 1

    def write(self, path: Path) -> None:
        """Leave them where the bench looks, whole or not at all."""
        with self._lock:
            notes = {
                key: {"commits": commits, "queries": self._queries.get(key, 0)}
                for key, commits in self._commits.items()
            }
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(notes))
        partial.rename(path)


class NotedRows:
    """`CommitRows` around others."""

    def __init__(self, rows: CommitRows, notes: Notes) -> None:
        self._rows = rows
        self._notes = notes

    def put(self, commit: Commit) -> str | None:
        """See `CommitRows.put`."""
        standing = self._rows.put(commit)
        if standing is None:
            self._notes.committed(commit)
        return standing

    def newest(self, key: LogKey, *, up_to: int | None, consistent: bool) -> Commit | None:
        """See `CommitRows.newest`."""
        self._notes.queried(key)
        return self._rows.newest(key, up_to=up_to, consistent=consistent)

    def following(self, key: LogKey, sequence: int, *, page: int | None, consistent: bool) -> Iterator[Commit]:
        """See `CommitRows.following`."""
        self._notes.queried(key)
        return self._rows.following(key, sequence, page=page, consistent=consistent)


def _run() -> None:
    notes, path = Notes(), Path(os.environ["BENCH_COMMITS"])
    noted = lambda database: RowLog(NotedRows(SqliteRows(database), notes))  # noqa: E731
    stores.SqliteLog = noted  # type: ignore[assignment,attr-defined]  # in place of the class: this process is the bench's own
    signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=notes.write, args=(path,)).start())
    main()


if __name__ == "__main__":
    _run()
