"""The contract of `Directory`, which every store passes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from flowstrand.directory.dynamodb import DynamoDirectory, create_directory_table
from flowstrand.directory.item_data import MAX_ITEM_BYTES
from flowstrand.directory.port import Directory, Item, PreconditionFailed
from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.errors import PayloadTooLarge
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.sqlite_database import SqliteDatabase

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

AWKWARD: JsonObject = {
    "text": 'naïve 🧵 "quoted" \u2028 \x00 \ud800',
    "nested": {"list": [1, -2.5, 10**18, True, None, [], {}]},
    "": "",
}


@pytest.fixture(params=["sqlite", "memory", "dynamodb"])
def directory(request: pytest.FixtureRequest) -> Directory:
    if request.param in ("sqlite", "memory"):
        fixture = "database" if request.param == "sqlite" else "memory_database"
        database: SqliteDatabase = request.getfixturevalue(fixture)
        return SqliteDirectory(database)
    client: DynamoDBClient = request.getfixturevalue("dynamodb_client")
    name: str = request.getfixturevalue("table_name")
    create_directory_table(client, name)
    return DynamoDirectory(client, name)


@pytest.fixture
def partition() -> str:
    return f"acme#{uuid4().hex}"


def test_nothing_is_found_where_nothing_was_put(directory: Directory, partition: str) -> None:
    assert directory.get(partition, "a") is None
    assert list(directory.scan(partition)) == []


def test_an_item_reads_back_as_it_was_put(directory: Directory, partition: str) -> None:
    put = directory.put(partition, "a", AWKWARD)
    assert put == Item(partition=partition, key="a", data=AWKWARD, version=1)
    assert directory.get(partition, "a") == put
    assert list(directory.scan(partition)) == [put]


def test_the_version_counts_writes(directory: Directory, partition: str) -> None:
    assert [directory.put(partition, "a", {"n": n}).version for n in range(3)] == [1, 2, 3]
    assert directory.put(partition, "a", {}, expect=3).version == 4


@pytest.mark.parametrize("expect", [1, 3])
def test_a_put_that_expects_another_version_changes_nothing(
    directory: Directory, partition: str, expect: int
) -> None:
    directory.put(partition, "a", {"n": 1})
    standing = directory.put(partition, "a", {"n": 2})
    with pytest.raises(PreconditionFailed):
        directory.put(partition, "a", {"n": 3}, expect=expect)
    assert directory.get(partition, "a") == standing


def test_an_item_is_created_once(directory: Directory, partition: str) -> None:
    first = directory.put(partition, "a", {"by": "first"}, expect=0)
    with pytest.raises(PreconditionFailed):
        directory.put(partition, "a", {"by": "second"}, expect=0)
    assert directory.get(partition, "a") == first


def test_a_put_that_expects_a_version_of_nothing_creates_nothing(directory: Directory, partition: str) -> None:
    with pytest.raises(PreconditionFailed):
        directory.put(partition, "a", {}, expect=1)
    assert directory.get(partition, "a") is None


def test_deleting_is_repeatable(directory: Directory, partition: str) -> None:
    directory.put(partition, "a", {})
    directory.delete(partition, "a")
    directory.delete(partition, "a")
    assert directory.get(partition, "a") is None


def test_a_delete_that_expects_another_version_changes_nothing(directory: Directory, partition: str) -> None:
    standing = directory.put(partition, "a", {})
    for expect in (0, 2):
        with pytest.raises(PreconditionFailed):
            directory.delete(partition, "a", expect=expect)
    assert directory.get(partition, "a") == standing
    directory.delete(partition, "a", expect=1)
    with pytest.raises(PreconditionFailed):
        directory.delete(partition, "a", expect=1)


def test_an_item_that_was_deleted_begins_again_at_version_one(directory: Directory, partition: str) -> None:
    directory.put(partition, "a", {})
    directory.put(partition, "a", {})
    directory.delete(partition, "a")
    assert directory.put(partition, "a", {}, expect=0).version == 1


def test_a_scan_is_in_the_order_of_the_keys_bytes(directory: Directory, partition: str) -> None:
    keys = ["10", "2", "A", "Z", "a", "a#b", "b", "é", "\uffff", "🧵"]
    for key in reversed(keys):
        directory.put(partition, key, {"key": key})
    assert [item.key for item in directory.scan(partition)] == keys
    assert [item.key for item in directory.scan(partition, after="a")] == keys[keys.index("a") + 1 :]
    assert [item.key for item in directory.scan(partition, after="AA")] == keys[keys.index("Z") :]


def test_scanning_on_from_the_last_key_gives_every_item_once(directory: Directory, partition: str) -> None:
    keys = [f"{n:03}" for n in range(23)]
    for key in keys:
        directory.put(partition, key, {})
    seen: list[str] = []
    while page := directory.scan(partition, after=seen[-1] if seen else "", limit=5):
        assert len(page) <= 5
        seen.extend(item.key for item in page)
    assert seen == keys
    assert list(directory.scan(partition, limit=0)) == []


def test_a_scan_over_one_megabyte_is_complete(directory: Directory, partition: str) -> None:
    for n in range(5):
        directory.put(partition, str(n), {"blob": "x" * 300_000})
    assert [item.key for item in directory.scan(partition)] == ["0", "1", "2", "3", "4"]


def test_partitions_are_apart(directory: Directory, partition: str) -> None:
    mine = directory.put(partition, "b#c", {"in": "mine"})
    other = directory.put(f"{partition}#b", "c", {"in": "other"})
    assert list(directory.scan(partition)) == [mine]
    assert list(directory.scan(f"{partition}#b")) == [other]


def test_an_item_with_a_future_expiry_is_there_and_can_lose_it(directory: Directory, partition: str) -> None:
    put = directory.put(partition, "a", {"n": 1}, expires_at_ms=32_503_680_000_001)
    assert directory.get(partition, "a") == put
    kept = directory.put(partition, "a", {"n": 2})
    assert directory.get(partition, "a") == kept


def test_an_item_too_large_for_any_store_is_refused(directory: Directory, partition: str) -> None:
    directory.put(partition, "a", {"blob": "x" * (MAX_ITEM_BYTES - 100)})
    with pytest.raises(PayloadTooLarge):
        directory.put(partition, "b", {"blob": "x" * MAX_ITEM_BYTES})
    assert directory.get(partition, "b") is None


@pytest.mark.parametrize(("partition", "key"), [("", "a"), ("p", "")])
def test_an_item_needs_a_name(directory: Directory, partition: str, key: str) -> None:
    with pytest.raises(ValueError, match="needs a partition and a key"):
        directory.put(partition, key, {})


def test_of_many_who_create_one_wins(directory: Directory, partition: str) -> None:
    def create(n: int) -> bool:
        with suppress(PreconditionFailed):
            directory.put(partition, "lease", {"holder": n}, expect=0)
            return True
        return False

    with ThreadPoolExecutor(max_workers=8) as callers:
        assert sum(callers.map(create, range(16))) == 1


def test_a_counter_of_conditional_writes_loses_no_step(directory: Directory, partition: str) -> None:
    def step(_: int) -> None:
        while True:
            item = directory.get(partition, "counter")
            count, version = (item.data["count"], item.version) if item else (0, 0)
            assert isinstance(count, int)
            with suppress(PreconditionFailed):
                directory.put(partition, "counter", {"count": count + 1}, expect=version)
                return

    with ThreadPoolExecutor(max_workers=6) as callers:
        list(callers.map(step, range(18)))
    item = directory.get(partition, "counter")
    assert item is not None
    assert (item.data, item.version) == ({"count": 18}, 18)
