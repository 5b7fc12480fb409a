"""What only a file can do to a log: kills, locks, damage, other processes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowstrand.errors import LogCorrupted, StoreUnavailable
from flowstrand.log.port import LogKey
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from tests.contract.commits import append_all, commit, new_key

# Appends to one log until it is killed or has written `limit` commits, and says which were acknowledged.
_WRITER = """
import sys
from contextlib import suppress
from pathlib import Path
from flowstrand.log.port import AppendConflict, LogKey
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from tests.contract.commits import commit

path, key, limit = Path(sys.argv[1]), LogKey.parse(sys.argv[2]), int(sys.argv[3])
log = SqliteLog(SqliteDatabase(path))
written = 0
while written < limit:
    tail = log.tail(key)
    mine = commit(key, tail.last_sequence + 1 if tail else 1, 1 + written % 3)
    with suppress(AppendConflict):
        log.append(mine)
        written += 1
        print(mine.commit_id, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flowstrand.db"


@pytest.fixture
def file(path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(path, busy_timeout_s=0.05)
    yield database
    database.close()


def writer(path: Path, key: LogKey, limit: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _WRITER, str(path), str(key), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_log_survives_the_process_that_wrote_it(path: Path) -> None:
    key = new_key()
    first = SqliteDatabase(path)
    written = append_all(SqliteLog(first), key, 1, 2)
    first.close()
    second = SqliteDatabase(path)
    assert list(SqliteLog(second).read(key, after=0)) == written
    second.close()


def test_what_was_acknowledged_survives_a_kill(path: Path, file: SqliteDatabase) -> None:
    key = new_key()
    with writer(path, key, limit=1_000_000) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(40)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.read().split()
    found = [one.commit_id for one in SqliteLog(file).read(key, after=0)]
    assert found[: len(acknowledged)] == acknowledged
    assert len(found) - len(acknowledged) <= 1


def test_two_processes_share_a_file(path: Path) -> None:
    key = new_key()
    with writer(path, key, limit=40) as one, writer(path, key, limit=40) as other:
        acknowledged = (one.communicate()[0] + other.communicate()[0]).split()
    assert (one.returncode, other.returncode) == (0, 0)
    database = SqliteDatabase(path)
    found = [each.commit_id for each in SqliteLog(database).read(key, after=0)]
    database.close()
    assert sorted(found) == sorted(acknowledged)
    assert len(found) == 80


def test_a_locked_file_is_unavailable_and_readable(path: Path, file: SqliteDatabase) -> None:
    log, key = SqliteLog(file), new_key()
    (written,) = append_all(log, key, 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        log.append(commit(key, 2))
    assert log.tail(key) == written
    other.execute("ROLLBACK")
    other.close()
    log.append(commit(key, 2))


def test_a_full_disk_is_unavailable_and_leaves_the_log_whole(file: SqliteDatabase) -> None:
    log, key = SqliteLog(file), new_key()
    (written,) = append_all(log, key, 1)
    (pages,) = file.execute("PRAGMA page_count")[0]
    file.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable):
        log.append(commit(key, 2, size=100_000))
    assert list(log.read(key, after=0)) == [written]


def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        SqliteDatabase(tmp_path / "missing" / "flowstrand.db")


def test_a_file_that_is_no_database_is_damage(path: Path) -> None:
    path.write_bytes(b"not a database" * 1_000)
    with pytest.raises(LogCorrupted):
        SqliteDatabase(path)


def test_a_wrong_statement_is_neither(file: SqliteDatabase) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        file.execute("SELECT * FROM nowhere")


def test_a_transaction_that_fails_leaves_nothing_behind(file: SqliteDatabase) -> None:
    file.create("CREATE TABLE IF NOT EXISTS notes (text TEXT)")

    def stop_half_way() -> None:
        with file.transaction():
            file.execute("INSERT INTO notes VALUES ('half')")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        stop_half_way()
    assert file.execute("SELECT * FROM notes") == []


def test_a_thread_that_ends_closes_its_connection(file: SqliteDatabase) -> None:
    log, key = SqliteLog(file), new_key()
    append_all(log, key, 1)
    for _ in range(5):
        thread = threading.Thread(target=log.tail, args=(key,))
        thread.start()
        thread.join()
    assert len(file._held) == 1


def test_a_temporary_database_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    database = SqliteDatabase.temporary()
    append_all(SqliteLog(database), new_key(), 1)
    assert list(tmp_path.iterdir()) == [database.path.parent]
    database.close()
    assert list(tmp_path.iterdir()) == []


def test_the_work_of_a_read_does_not_grow_with_the_history(file: SqliteDatabase) -> None:
    log = SqliteLog(file)
    short, long = new_key(), new_key()
    append_all(log, short, *[1] * 10)
    append_all(log, long, *[1] * 500)
    costs = [_steps(file, log, key, last) for key, last in ((short, 10), (long, 500))]
    assert costs[1] <= costs[0] + 10


def _steps(database: SqliteDatabase, log: SqliteLog, key: LogKey, last: int) -> int:
    """How many instructions SQLite's virtual machine runs for the reads of a handler and of a follower."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection = database._connection()
    connection.set_progress_handler(count, 1)
    log.tail(key)
    log.read(key, after=last)
    log.read(key, after=last - 2)
    log.commit_at(key, 3)
    connection.set_progress_handler(None, 1)
    return steps
