"""The contract of `LogRetention`, which every store passes: in what order a log goes, killed and repeated anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from flowstrand.errors import StoreUnavailable
from flowstrand.log.dynamodb import DynamoLog, create_log_table
from flowstrand.log.dynamodb_retention import DynamoRetentionRows
from flowstrand.log.port import AppendConflict, EventLog, LogKey
from flowstrand.log.retention import DAY_MS, KEPT_MS, NAME_KEPT_MS, RetentionRows, RowRetention
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.log.sqlite_retention import SqliteRetention, SqliteRetentionRows
from tests.contract.commits import WRITTEN_AT_MS, append_all, commit, new_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

NOW_MS = WRITTEN_AT_MS + 30 * DAY_MS
MANY = 1_000


class DyingRows:
    """Rows of a process that dies before its nth request, or after it."""

    def __init__(self, rows: RetentionRows, requests: int, *, after: bool) -> None:
        self._rows, self._left, self._after = rows, requests, after

    def last(self, key: LogKey) -> int | None:
        return cast("int | None", self._do(lambda: self._rows.last(key)))

    def unmarked_between(self, key: LogKey, last: int, limit: int) -> Sequence[int]:
        return cast("Sequence[int]", self._do(lambda: self._rows.unmarked_between(key, last, limit)))

    def mark(self, key: LogKey, sequence: int, expires_at_ms: int) -> None:
        self._do(lambda: self._rows.mark(key, sequence, expires_at_ms))

    def let_go(self, key: LogKey, sequence: int, now_ms: int) -> None:
        self._do(lambda: self._rows.let_go(key, sequence, now_ms))

    def purge(self, now_ms: int) -> None:
        self._rows.purge(now_ms)

    def _do(self, request: Callable[[], object]) -> object:
        self._left -= 1
        if self._left < 0 and not self._after:
            raise StoreUnavailable("dead before")
        done = request()
        if self._left < 0:
            raise StoreUnavailable("dead after")
        return done


class Store:
    """A log, the rows that let it expire, and what deletes."""

    def __init__(self, log: EventLog, rows: RetentionRows, delete: Callable[[int], None]) -> None:
        self.log, self.rows, self.delete = log, rows, delete
        self.retention = RowRetention(rows)


@pytest.fixture(params=["sqlite", "memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param in ("sqlite", "memory"):
        fixture = "database" if request.param == "sqlite" else "memory_database"
        database: SqliteDatabase = request.getfixturevalue(fixture)
        return Store(SqliteLog(database), SqliteRetentionRows(database), SqliteRetention(database).purge)
    client: DynamoDBClient = request.getfixturevalue("dynamodb_client")
    name: str = request.getfixturevalue("table_name")
    create_log_table(client, name)

    def delete(now_ms: int) -> None:
        for item in client.scan(TableName=name)["Items"]:
            if "expires_at" in item and int(item["expires_at"]["N"]) * 1_000 <= now_ms:
                client.delete_item(
                    TableName=name, Key={"execution": item["execution"], "sequence": item["sequence"]}
                )

    return Store(DynamoLog(client, name), DynamoRetentionRows(client, name), delete)


@pytest.fixture
def key() -> LogKey:
    return new_key()


def kept(store: Store, key: LogKey) -> list[int]:
    """First sequences of the commits that are there."""
    found: list[int] = []
    at = store.log.tail(key)
    while at is not None:
        found.insert(0, at.sequence)
        rows: Any = store.log
        at = rows._rows.newest(key, up_to=at.sequence - 1, consistent=True) if at.sequence > 1 else None
    return found


def test_commits_expire_never_unless_somebody_says_so(store: Store, key: LogKey) -> None:
    written = append_all(store.log, key, 1, 2)
    assert [one.expires_at_ms for one in written] == [None, None]
    assert store.log.tail(key) == written[-1]
    store.delete(NOW_MS * 2)
    assert kept(store, key) == [1, 2]


def test_the_first_and_the_last_commit_are_kept_longer_and_the_first_longest(store: Store, key: LogKey) -> None:
    append_all(store.log, key, 1, 3, 1, 2)
    assert store.retention.expire(key, now_ms=NOW_MS, limit=MANY)
    store.delete(NOW_MS)
    assert kept(store, key) == [1, 6]
    store.delete(NOW_MS + KEPT_MS - 1_000)
    assert kept(store, key) == [1, 6]
    store.delete(NOW_MS + KEPT_MS)
    assert kept(store, key) == [1]
    store.delete(NOW_MS + NAME_KEPT_MS - 1_000)
    assert kept(store, key) == [1]
    store.delete(NOW_MS + NAME_KEPT_MS)
    assert kept(store, key) == []


def test_only_the_expiry_of_a_commit_changes(store: Store, key: LogKey) -> None:
    first, last = append_all(store.log, key, 2, 1)
    store.retention.expire(key, now_ms=NOW_MS, limit=MANY)
    assert store.log.commit_at(key, 1) == replace(first, expires_at_ms=NOW_MS + NAME_KEPT_MS)
    assert store.log.tail(key) == replace(last, expires_at_ms=NOW_MS + KEPT_MS)


def test_a_log_of_one_commit_keeps_its_name_as_long(store: Store, key: LogKey) -> None:
    append_all(store.log, key, 3)
    assert store.retention.expire(key, now_ms=NOW_MS, limit=MANY)
    store.delete(NOW_MS + NAME_KEPT_MS - 1_000)
    assert kept(store, key) == [1]


def test_an_expired_log_cannot_be_begun_again(store: Store, key: LogKey) -> None:
    append_all(store.log, key, 1, 1)
    store.retention.expire(key, now_ms=NOW_MS, limit=MANY)
    for now_ms in (NOW_MS, NOW_MS + KEPT_MS):
        store.delete(now_ms)
        with pytest.raises(AppendConflict):
            store.log.append(commit(key, 1))


def test_a_log_that_is_not_there_is_done_with(store: Store, key: LogKey) -> None:
    assert store.retention.expire(key, now_ms=NOW_MS, limit=MANY)
    assert store.log.tail(key) is None


def test_other_logs_are_left_alone(store: Store, key: LogKey) -> None:
    other = LogKey(key.org, cast("Any", key.execution_id + "0"))
    append_all(store.log, key, 1, 1, 1)
    written = append_all(store.log, other, 1, 1, 1)
    store.retention.expire(key, now_ms=NOW_MS, limit=MANY)
    store.delete(NOW_MS * 2)
    assert list(store.log.read(other, after=0)) == written


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_a_long_log_goes_a_few_commits_at_a_time(store: Store, key: LogKey, limit: int) -> None:
    append_all(store.log, key, *[1] * 8)
    rounds = 1
    while not store.retention.expire(key, now_ms=NOW_MS, limit=limit):
        rounds += 1
        tail = store.log.tail(key)
        assert tail is not None
        assert tail.expires_at_ms is not None
    assert 6 // limit <= rounds <= 6 // limit + 1
    store.delete(NOW_MS)
    assert kept(store, key) == [1, 8]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whoever_is_killed_anywhere_leaves_what_the_next_one_finishes(
    store: Store, key: LogKey, *, after: bool
) -> None:
    append_all(store.log, key, 1, 2, 1, 1)
    for requests in range(20):
        try:
            RowRetention(DyingRows(store.rows, requests, after=after)).expire(key, now_ms=NOW_MS, limit=MANY)
        except StoreUnavailable:
            tail, first = store.log.tail(key), store.log.commit_at(key, 1)
            assert tail is not None
            assert first is not None
            # Before the last is marked, nothing is gone; until all between them are, the first is not marked.
            if tail.expires_at_ms is None:
                assert kept(store, key) == [1, 2, 4, 5]
            store.delete(NOW_MS + requests)
            if first.expires_at_ms is not None:
                assert kept(store, key) == [1, 5]
        else:
            break
    else:
        pytest.fail("it never came to an end")
    store.delete(NOW_MS + 1_000)
    assert kept(store, key) == [1, 5]
    tail = store.log.tail(key)
    assert tail is not None
    assert tail.expires_at_ms == NOW_MS + KEPT_MS


def test_repeating_it_later_moves_nothing(store: Store, key: LogKey) -> None:
    append_all(store.log, key, 1, 1)
    store.retention.expire(key, now_ms=NOW_MS, limit=MANY)
    store.retention.expire(key, now_ms=NOW_MS + DAY_MS, limit=MANY)
    tail = store.log.tail(key)
    assert tail is not None
    assert tail.expires_at_ms == NOW_MS + KEPT_MS


def test_a_table_of_an_earlier_version_gets_what_it_lacks() -> None:
    database = SqliteDatabase.in_memory()
    database.execute(
        "CREATE TABLE log_commits (execution TEXT NOT NULL, sequence INTEGER NOT NULL, count INTEGER NOT NULL, "
        "events BLOB NOT NULL, written_at INTEGER NOT NULL, commit_id TEXT NOT NULL, checkpoint BLOB, "
        "checkpoint_at INTEGER, PRIMARY KEY (execution, sequence))"
    )
    key = new_key()
    log = SqliteLog(database)
    written = append_all(log, key, 1, 1, 1)
    assert log.tail(key) == written[-1]
    assert SqliteRetention(database).expire(key, now_ms=NOW_MS, limit=MANY)
    database.close()


def test_purging_takes_along_what_else_of_the_file_has_had_its_time() -> None:
    purged: list[int] = []
    database = SqliteDatabase.in_memory()
    SqliteRetention(database, also_purge=purged.append).purge(NOW_MS)
    assert purged == [NOW_MS]
    database.close()
