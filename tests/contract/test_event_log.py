"""The contract of `EventLog`, which every store passes behind the same faults."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flowstrand.errors import LogCorrupted, PayloadTooLarge, StoreUnavailable
from flowstrand.log.dynamodb import DynamoRows, create_log_table
from flowstrand.log.port import AppendConflict, Commit, EventLog, LogKey
from flowstrand.log.rows import MAX_COMMIT_BYTES, RowLog
from flowstrand.log.sqlite import SqliteRows
from flowstrand.log.sqlite_database import SqliteDatabase
from tests.contract.commits import append_all, commit, new_key
from tests.contract.faulty_rows import FaultyRows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


@pytest.fixture(params=["sqlite", "memory", "dynamodb"])
def rows(request: pytest.FixtureRequest) -> FaultyRows:
    if request.param in ("sqlite", "memory"):
        fixture = "database" if request.param == "sqlite" else "memory_database"
        database: SqliteDatabase = request.getfixturevalue(fixture)
        return FaultyRows(SqliteRows(database))
    client: DynamoDBClient = request.getfixturevalue("dynamodb_client")
    name: str = request.getfixturevalue("table_name")
    create_log_table(client, name)
    return FaultyRows(DynamoRows(client, name))


@pytest.fixture
def log(rows: FaultyRows) -> EventLog:
    return RowLog(rows)


@pytest.fixture
def key() -> LogKey:
    return new_key()


# --- append: the one conditional write ----------------------------------------------------------


def test_an_empty_log_has_no_tail_and_no_commits(log: EventLog, key: LogKey) -> None:
    assert log.tail(key) is None
    assert list(log.read(key, after=0)) == []
    assert log.commit_at(key, 1) is None


@pytest.mark.parametrize("checkpoint_at", [None, 1])
@pytest.mark.parametrize("checkpoint", [None, b"\x00folded"])
def test_a_commit_reads_back_as_it_was_written(
    log: EventLog, key: LogKey, checkpoint: bytes | None, checkpoint_at: int | None
) -> None:
    written = commit(key, 1, 3, checkpoint=checkpoint, checkpoint_at=checkpoint_at)
    log.append(written)
    assert log.tail(key) == written
    assert list(log.read(key, after=0)) == [written]


def test_of_two_writers_at_one_tail_only_the_first_gets_the_key(log: EventLog, key: LogKey) -> None:
    append_all(log, key, 2)
    winner, loser = commit(key, 3), commit(key, 3, 4)
    log.append(winner)
    with pytest.raises(AppendConflict):
        log.append(loser)
    assert log.tail(key) == winner


def test_a_stale_writer_loses_however_far_the_log_has_gone_on(log: EventLog, key: LogKey) -> None:
    written = append_all(log, key, 2, 3, 1)
    with pytest.raises(AppendConflict):
        log.append(commit(key, 3, 9))
    assert list(log.read(key, after=0)) == written


def test_finding_ones_own_commit_is_success(log: EventLog, key: LogKey) -> None:
    (written,) = append_all(log, key, 2)
    log.append(written)
    assert list(log.read(key, after=0)) == [written]


def test_a_write_whose_reply_was_lost_is_found_by_its_commit_id(
    log: EventLog, rows: FaultyRows, key: LogKey
) -> None:
    written = commit(key, 1, 2)
    rows.lost_replies = 1
    with pytest.raises(StoreUnavailable):
        log.append(written)
    other = commit(key, 3)
    log.append(other)
    log.append(written)
    assert list(log.read(key, after=0)) == [written, other]


def test_a_write_whose_request_was_lost_has_not_happened(log: EventLog, rows: FaultyRows, key: LogKey) -> None:
    rows.lost_requests = 1
    with pytest.raises(StoreUnavailable):
        log.append(commit(key, 1))
    assert log.tail(key) is None


def test_a_writer_whose_request_was_lost_can_still_lose_the_key(
    log: EventLog, rows: FaultyRows, key: LogKey
) -> None:
    rows.lost_requests = 1
    late = commit(key, 1)
    with pytest.raises(StoreUnavailable):
        log.append(late)
    append_all(log, key, 1)
    with pytest.raises(AppendConflict):
        log.append(late)


def test_a_put_that_the_client_library_repeats_is_one_commit(log: EventLog, rows: FaultyRows, key: LogKey) -> None:
    rows.repeats_puts = True
    written = append_all(log, key, 1, 2)
    assert list(log.read(key, after=0)) == written


@pytest.mark.parametrize(("sequence", "count"), [(0, 1), (-1, 1), (1, 0)])
def test_a_commit_of_nothing_or_before_the_start_is_refused(
    log: EventLog, key: LogKey, sequence: int, count: int
) -> None:
    with pytest.raises(ValueError, match="cannot begin"):
        log.append(replace(commit(key, 1), sequence=sequence, count=count))
    assert log.tail(key) is None


def test_the_largest_commit_is_stored_and_a_larger_one_changes_nothing(log: EventLog, key: LogKey) -> None:
    half = MAX_COMMIT_BYTES // 2
    largest = commit(key, 1, size=half, checkpoint=b"c" * (MAX_COMMIT_BYTES - half), checkpoint_at=1)
    log.append(largest)
    with pytest.raises(PayloadTooLarge) as refused:
        log.append(commit(key, 2, size=MAX_COMMIT_BYTES + 1))
    assert refused.value.code == "COMMIT_TOO_LARGE"
    assert log.tail(key) == largest


def test_logs_of_other_executions_and_orgs_are_apart(log: EventLog, key: LogKey) -> None:
    elsewhere = replace(key, org=type(key.org)("other"))
    mine, theirs = append_all(log, key, 1, 1), append_all(log, elsewhere, 3)
    assert list(log.read(key, after=0)) == mine
    assert list(log.read(elsewhere, after=0)) == theirs


def test_concurrent_writers_who_retry_leave_a_dense_log(log: EventLog, key: LogKey) -> None:
    def write(count: int) -> str:
        while True:
            tail = log.tail(key)
            mine = commit(key, tail.last_sequence + 1 if tail else 1, count)
            with suppress(AppendConflict):
                log.append(mine)
                return mine.commit_id

    with ThreadPoolExecutor(max_workers=6) as writers:
        acknowledged = list(writers.map(write, [1, 2, 3] * 6))
    commits = log.read(key, after=0)
    assert sorted(found.commit_id for found in commits) == sorted(acknowledged)
    assert commits[-1].last_sequence == 36


# --- tail and commit_at -------------------------------------------------------------------------


def test_the_tail_is_read_consistently(log: EventLog, rows: FaultyRows, key: LogKey) -> None:
    written = append_all(log, key, 1, 2, 3)
    rows.replica_end = 2
    assert log.tail(key) == written[-1]


@pytest.mark.parametrize(("sequence", "index"), [(1, 0), (2, 1), (3, 1), (4, 1), (5, 2)])
def test_commit_at_finds_the_commit_that_holds_a_sequence(
    log: EventLog, rows: FaultyRows, key: LogKey, sequence: int, index: int
) -> None:
    written = append_all(log, key, 1, 3, 1)
    rows.replica_end = 2
    assert log.commit_at(key, sequence) == written[index]


@pytest.mark.parametrize("sequence", [-1, 0, 6, 7, 1_000, 2**70])
def test_commit_at_finds_nothing_outside_the_log(log: EventLog, key: LogKey, sequence: int) -> None:
    append_all(log, key, 1, 3, 1)
    assert log.commit_at(key, sequence) is None


# --- read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [None, 1, 2])
@pytest.mark.parametrize("consistent", [True, False])
@pytest.mark.parametrize(
    ("after", "first"),
    [(0, 0), (1, 0), (2, 0), (3, 1), (4, 2), (7, 2), (8, 3), (9, 4), (10, 4), (99, 4)],
)
def test_a_read_begins_with_the_commit_that_holds_the_next_event(
    log: EventLog, rows: FaultyRows, key: LogKey, after: int, first: int, consistent: bool, page: int | None
) -> None:
    rows.page = page
    written = append_all(log, key, 3, 1, 4, 1)
    assert list(log.read(key, after=after, consistent=consistent)) == written[first:]


@pytest.mark.parametrize(
    ("after", "limit", "expected"),
    [
        (0, 0, []),
        (0, 1, [0]),
        (0, 3, [0]),
        (0, 4, [0, 1]),
        (1, 2, [0]),
        (1, 3, [0, 1]),
        (3, 1, [1]),
        (4, 3, [2]),
        (6, 2, [2]),
        (6, 3, [2, 3]),
        (0, 1_000, [0, 1, 2, 3]),
        (9, 5, []),
    ],
)
def test_a_limit_counts_events_beyond_the_cursor(
    log: EventLog, key: LogKey, after: int, limit: int, expected: list[int]
) -> None:
    written = append_all(log, key, 3, 1, 4, 1)
    assert list(log.read(key, after=after, limit=limit)) == [written[index] for index in expected]


def test_reading_on_from_any_cut_gives_the_rest_of_the_log(log: EventLog, key: LogKey) -> None:
    written = append_all(log, key, 2, 1, 5, 1, 3)
    for limit in (1, 2, 3, 7):
        seen: list[Commit] = []
        while more := log.read(key, after=seen[-1].last_sequence if seen else 0, limit=limit):
            seen.extend(more)
        assert seen == written


@pytest.mark.parametrize("limit", [None, 7])
def test_a_history_over_one_megabyte_is_read_to_its_end(log: EventLog, key: LogKey, limit: int | None) -> None:
    written = append_all(log, key, *[1] * 7, size=300_000)
    assert list(log.read(key, after=0, limit=limit)) == written


@pytest.mark.parametrize("replica_end", [1, 2, 5, 6])
def test_a_lagging_replica_may_end_early_but_never_skips(
    log: EventLog, rows: FaultyRows, key: LogKey, replica_end: int
) -> None:
    written = append_all(log, key, 1, 3, 1)
    rows.replica_end = replica_end
    expected = [one for one in written if one.sequence < replica_end]
    assert list(log.read(key, after=0, consistent=False)) == expected
    assert list(log.read(key, after=0)) == written


@pytest.mark.parametrize("after", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("holes", [{1}, {2}, {1, 2}, {1, 5}, {5}])
def test_a_hole_on_a_replica_is_read_again_consistently(
    log: EventLog, rows: FaultyRows, key: LogKey, holes: set[int], after: int
) -> None:
    written = append_all(log, key, 1, 3, 1, 2)
    rows.replica_holes = frozenset(holes)
    expected = [one for one in written if one.last_sequence > after]
    assert list(log.read(key, after=after, consistent=False)) == expected


# --- news ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [None, 1, 2])
@pytest.mark.parametrize("consistent", [True, False])
@pytest.mark.parametrize(("after", "first"), [(0, 0), (3, 1), (4, 2), (8, 3), (9, 4)])
def test_news_are_what_follows_the_end_of_a_commit(
    log: EventLog, rows: FaultyRows, key: LogKey, after: int, first: int, consistent: bool, page: int | None
) -> None:
    rows.page = page
    written = append_all(log, key, 3, 1, 4, 1)
    assert list(log.news(key, after=after, limit=1_000, consistent=consistent)) == written[first:]


@pytest.mark.parametrize(
    ("after", "limit", "expected"), [(0, 1, [0]), (0, 4, [0, 1]), (3, 1, [1]), (3, 2, [1, 2]), (9, 5, [])]
)
def test_a_limit_of_news_counts_events(
    log: EventLog, key: LogKey, after: int, limit: int, expected: list[int]
) -> None:
    written = append_all(log, key, 3, 1, 4, 1)
    assert list(log.news(key, after=after, limit=limit)) == [written[index] for index in expected]


def test_where_there_are_no_news_one_query_that_takes_no_row_says_so(
    log: EventLog, rows: FaultyRows, key: LogKey
) -> None:
    append_all(log, key, 3, 1, size=100_000)
    rows.queries.clear()
    rows.rows_read = 0
    assert list(log.news(key, after=4, limit=100)) == []
    assert rows.queries == [("following", False)]
    assert rows.rows_read == 0


@pytest.mark.parametrize(("replica_end", "expected"), [(2, []), (5, [1]), (6, [1, 2])])
def test_news_from_a_lagging_replica_may_end_early(
    log: EventLog, rows: FaultyRows, key: LogKey, replica_end: int, expected: list[int]
) -> None:
    written = append_all(log, key, 1, 3, 1)
    rows.replica_end = replica_end
    assert list(log.news(key, after=1, limit=10)) == [written[index] for index in expected]
    assert list(log.news(key, after=1, limit=10, consistent=True)) == written[1:]


@pytest.mark.parametrize("holes", [{2}, {5}, {2, 5}, {2, 6}])
def test_a_hole_in_the_news_is_read_again_consistently(
    log: EventLog, rows: FaultyRows, key: LogKey, holes: set[int]
) -> None:
    written = append_all(log, key, 1, 3, 1, 2)
    rows.replica_holes = frozenset(holes)
    rows.queries.clear()
    assert list(log.news(key, after=1, limit=10)) == written[1:]
    assert rows.queries[0] == ("following", False)
    assert {consistent for _, consistent in rows.queries[1:]} == {True}


@pytest.mark.parametrize("consistent", [True, False])
def test_a_gap_in_the_news_is_damage_and_never_skipped(log: EventLog, key: LogKey, consistent: bool) -> None:
    for sequence, count in ((1, 1), (2, 2), (6, 1)):
        log.append(commit(key, sequence, count))
    with pytest.raises(LogCorrupted):
        log.news(key, after=1, limit=10, consistent=consistent)
    with pytest.raises(LogCorrupted):
        log.news(key, after=3, limit=10, consistent=consistent)


def test_news_asked_for_within_a_commit_that_others_follow_begin_with_that_commit(
    log: EventLog, key: LogKey
) -> None:
    written = append_all(log, key, 1, 3, 1)
    assert list(log.news(key, after=2, limit=10)) == written[1:]


# --- damage -------------------------------------------------------------------------------------


@pytest.fixture(
    params=[
        pytest.param(((2, 1),), id="first missing"),
        pytest.param(((1, 1), (3, 1)), id="one missing"),
        pytest.param(((1, 2), (2, 1)), id="overlap"),
        pytest.param(((1, 1), (2, 2), (6, 1), (7, 1)), id="two missing"),
    ]
)
def torn(request: pytest.FixtureRequest, log: EventLog, key: LogKey) -> LogKey:
    for sequence, count in request.param:
        log.append(commit(key, sequence, count))
    return key


@pytest.mark.parametrize("consistent", [True, False])
def test_a_gap_is_damage_and_never_skipped(log: EventLog, torn: LogKey, consistent: bool) -> None:
    with pytest.raises(LogCorrupted):
        log.read(torn, after=0, consistent=consistent)


def test_a_cursor_before_a_gap_sees_the_gap(log: EventLog, key: LogKey) -> None:
    for sequence in (1, 2, 4):
        log.append(commit(key, sequence))
    for after in (0, 1, 2):
        with pytest.raises(LogCorrupted):
            log.read(key, after=after)
    with pytest.raises(LogCorrupted):
        log.commit_at(key, 3)


# --- what a read costs (law 11) -----------------------------------------------------------------


_OPERATIONS: list[Callable[[EventLog, LogKey, int], object]] = [
    lambda log, key, _: log.tail(key),
    lambda log, key, last: log.read(key, after=last),
    lambda log, key, last: log.read(key, after=last - 3),
    lambda log, key, last: log.read(key, after=last // 2, limit=2),
    lambda log, key, last: log.commit_at(key, last // 2),
    lambda log, key, last: log.news(key, after=last - 3, limit=100),
]


@pytest.mark.parametrize("operation", _OPERATIONS, ids=["tail", "idle", "recent", "page", "commit_at", "news"])
def test_the_rows_a_read_takes_do_not_grow_with_the_history(
    log: EventLog, rows: FaultyRows, operation: Callable[[EventLog, LogKey, int], object]
) -> None:
    costs: list[int] = []
    for commits in (10, 120):
        key = new_key()
        append_all(log, key, *[1] * commits)
        rows.rows_read = 0
        operation(log, key, commits)
        costs.append(rows.rows_read)
    assert costs[0] == costs[1] <= 4
