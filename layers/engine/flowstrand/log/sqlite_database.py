"""`SqliteDatabase`: one file, a connection per thread, and what its errors mean.

The file is in WAL mode with `synchronous=FULL`: a statement that has returned survives a kill and a power cut, and
several threads and processes may use it at once. For tests there is a database in memory, too: one connection, which
threads take turns on.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from flowstrand.errors import LogCorrupted, StoreUnavailable

Parameters: TypeAlias = Sequence[str | int | bytes | None]

_OPEN_ATTEMPTS = 100
_PRIMARY_CODE = 0xFF
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_INTERRUPT,
    }
)


class SqliteDatabase:
    """A thread-safe handle on one database. Every method raises `StoreUnavailable` and `LogCorrupted`."""

    def __init__(self, path: Path | None, *, busy_timeout_s: float = 5.0) -> None:
        """Opens `path`, creating it if need be; its folder must exist. None stands for this process's memory.

        Args:
            busy_timeout_s: how many seconds to wait for another writer before `StoreUnavailable`.
        """
        self.path = path or Path(":memory:")
        self._shared = None if path is not None else _open_in_memory()
        self._turn: AbstractContextManager[object] = nullcontext() if path is not None else threading.RLock()
        self._busy_timeout_s = busy_timeout_s
        self._local = threading.local()
        self._held: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self.execute("SELECT 1")

    @classmethod
    def temporary(cls) -> SqliteDatabase:
        """A database in a new temporary folder, removed by `close`."""
        directory = tempfile.TemporaryDirectory(prefix="flowstrand-", ignore_cleanup_errors=True)
        database = cls(Path(directory.name) / "flowstrand.db")
        database._directory = directory
        return database

    @classmethod
    def in_memory(cls) -> SqliteDatabase:
        """A database that nobody else sees and that `close` forgets."""
        return cls(None)

    def execute(self, statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Run one statement, durably if it writes, and return all its rows.

        Raises:
            sqlite3.IntegrityError: it would break a constraint.
        """
        try:
            with self._turn:
                return self._connection().execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            _raise_meaningful(error)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Statements of this thread inside the block commit together, or not at all; writers elsewhere wait."""
        with self._turn:
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def create(self, *statements: str) -> None:
        """Run schema statements, each `CREATE … IF NOT EXISTS`."""
        with self.transaction():
            for statement in statements:
                self.execute(statement)

    def close(self) -> None:
        """Close every thread's connection; the database must not be used after."""
        with self._lock:
            held = list(self._held)
        for holder in held if self._shared is None else [self._shared]:
            holder.connection.close()
        if self._directory is not None:
            self._directory.cleanup()

    def _roll_back(self) -> None:
        connection = self._connection()
        if connection.in_transaction:  # some errors have already rolled back
            connection.rollback()

    def _connection(self) -> sqlite3.Connection:
        if self._shared is not None:
            return self._shared.connection
        held: _Held | None = getattr(self._local, "held", None)
        if held is None:
            held = self._open()
            self._local.held = held
            with self._lock:
                self._held.add(held)
        return held.connection

    def _open(self) -> _Held:
        try:
            return _Held(_open(self.path, self._busy_timeout_s))
        except sqlite3.Error as error:
            _raise_meaningful(error)


class _Held:
    """A thread's connection, closed when the thread ends: `sqlite3.Connection` itself takes no weak references."""

    __slots__ = ("__weakref__", "connection")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        weakref.finalize(self, connection.close).atexit = False


def _open_in_memory() -> _Held:
    return _Held(sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False))


def _open(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    # Autocommit: transactions are explicit. A holder is closed by whichever thread collects it.
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
    try:
        _enter_wal(connection)
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait for a lock to do so, but it does wait for one to write."""
    for _ in range(_OPEN_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode=WAL").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
                raise
            connection.execute("BEGIN IMMEDIATE")  # another process is opening the file: let it finish
            connection.execute("COMMIT")
        else:
            return
    raise StoreUnavailable("the database is being opened by too many processes at once")


def _raise_meaningful(error: sqlite3.Error) -> NoReturn:
    """Tell "repeat it" and "damaged" from programming errors, which pass unchanged."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
    if code in _UNAVAILABLE:
        raise StoreUnavailable(f"the database is unavailable: {error}") from error
    if code in _DAMAGED:
        raise LogCorrupted(f"the database file is damaged: {error}") from error
    raise error
