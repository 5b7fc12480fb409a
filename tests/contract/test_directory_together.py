"""The contract of `Directory.write_together`, `get_many` and `delete_many`, which every store passes. One thread: moto's transactions are no more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from flowstrand.directory.dynamodb import DynamoDirectory, create_directory_table
from flowstrand.directory.item_data import MAX_ITEM_BYTES
from flowstrand.directory.port import MAX_TOGETHER, Delete, Directory, Item, PreconditionFailed, Put, Write
from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.errors import PayloadTooLarge, StoreUnavailable
from flowstrand.log.sqlite_database import SqliteDatabase
from tests.contract import dynamodb_faults as faults
from tests.support.memory_stores import Disk, MemoryDirectory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

OPERATION = "TransactWriteItems"


@pytest.fixture(params=["sqlite", "memory", "dynamodb", "fake"])
def directory(request: pytest.FixtureRequest) -> Directory:
    if request.param == "fake":
        return MemoryDirectory(Disk())
    if request.param == "dynamodb":
        dynamo: DynamoDirectory = request.getfixturevalue("dynamo")
        return dynamo
    database: SqliteDatabase = request.getfixturevalue(
        "database" if request.param == "sqlite" else "memory_database"
    )
    return SqliteDirectory(database)


@pytest.fixture
def dynamo(dynamodb_client: DynamoDBClient, table_name: str) -> DynamoDirectory:
    create_directory_table(dynamodb_client, table_name)
    return DynamoDirectory(dynamodb_client, table_name)


@pytest.fixture
def partition() -> str:
    return f"acme#{uuid4().hex}"


def test_all_of_several_writes_are_done(directory: Directory, partition: str) -> None:
    directory.put(partition, "old", {"n": 1})
    directory.put(partition, "gone", {})

    directory.write_together(
        [
            Put(partition=partition, key="new", data={"n": 0}, expect=0),
            Put(partition=partition, key="old", data={"n": 2}, expect=1),
            Put(partition=f"{partition}#b", key="any", data={"n": 3}),
            Delete(partition=partition, key="gone", expect=1),
        ]
    )

    assert list(directory.scan(partition)) == [
        Item(partition=partition, key="new", data={"n": 0}, version=1),
        Item(partition=partition, key="old", data={"n": 2}, version=2),
    ]
    assert directory.get(f"{partition}#b", "any") is not None


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_where_one_condition_fails_nothing_is_written(directory: Directory, partition: str, failing: int) -> None:
    standing = directory.put(partition, "there", {"n": 1})
    wrong: list[Write] = [
        Put(partition=partition, key="there", data={"n": 2}, expect=0),
        Put(partition=partition, key="there", data={"n": 2}, expect=2),
        Delete(partition=partition, key="there", expect=2),
    ]
    writes: list[Write] = [
        Put(partition=partition, key="before", data={}, expect=0),
        wrong[failing],
        Put(partition=partition, key="behind", data={}),
    ]

    with pytest.raises(PreconditionFailed):
        directory.write_together(writes)

    assert list(directory.scan(partition)) == [standing]


def test_a_delete_of_what_is_not_there_fails_only_where_it_expects_something(
    directory: Directory, partition: str
) -> None:
    directory.write_together(
        [Delete(partition=partition, key="a"), Put(partition=partition, key="b", data={}, expect=0)]
    )
    with pytest.raises(PreconditionFailed):
        directory.write_together([Delete(partition=partition, key="a", expect=1)])
    assert [item.key for item in directory.scan(partition)] == ["b"]


def test_versions_go_on_as_with_single_writes(directory: Directory, partition: str) -> None:
    directory.put(partition, "a", {})
    directory.write_together([Put(partition=partition, key="a", data={"n": 2}, expect=1)])
    assert directory.put(partition, "a", {"n": 3}, expect=2).version == 3


def test_no_writes_are_no_transaction(directory: Directory) -> None:
    directory.write_together([])


def test_two_writes_for_one_item_are_refused(directory: Directory, partition: str) -> None:
    with pytest.raises(ValueError, match="one item"):
        directory.write_together(
            [Put(partition=partition, key="a", data={}), Delete(partition=partition, key="a")]
        )
    assert directory.get(partition, "a") is None


def test_a_hundred_writes_are_done_and_one_more_is_refused(directory: Directory, partition: str) -> None:
    writes = [Put(partition=partition, key=f"{n:03}", data={}, expect=0) for n in range(MAX_TOGETHER + 1)]
    with pytest.raises(ValueError, match="more than"):
        directory.write_together(writes)
    directory.write_together(writes[:-1])
    assert len(directory.scan(partition, limit=200)) == MAX_TOGETHER


def test_an_item_that_is_too_large_keeps_the_others_from_being_written(
    directory: Directory, partition: str, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.params["directory"] == "fake":
        pytest.skip("the fake has no limit")
    with pytest.raises(PayloadTooLarge):
        directory.write_together(
            [
                Put(partition=partition, key="a", data={}),
                Put(partition=partition, key="b", data={"blob": "x" * MAX_ITEM_BYTES}),
            ]
        )
    assert list(directory.scan(partition)) == []


def test_of_many_items_those_that_exist_are_found(directory: Directory, partition: str) -> None:
    put = {(partition, f"{n:03}"): directory.put(partition, f"{n:03}", {"n": n}) for n in range(0, 240, 2)}
    names = [(partition, f"{n:03}") for n in range(240)]

    assert directory.get_many(names) == put
    assert directory.get_many([*names[:2], *names[:2]]) == {names[0]: put[names[0]]}
    assert directory.get_many([]) == {}


@pytest.mark.parametrize("fixture", ["database", "memory_database"])
def test_writers_at_once_in_sqlite_move_both_of_two_counters_or_neither(
    request: pytest.FixtureRequest, fixture: str, partition: str
) -> None:
    directory = SqliteDirectory(request.getfixturevalue(fixture))

    def step(_: int) -> None:
        while True:
            items = directory.get_many([(partition, "a"), (partition, "b")])
            # Not read at one moment: one may have come into being between the two.
            versions = {key: items[partition, key].version if (partition, key) in items else 0 for key in "ab"}
            with suppress(PreconditionFailed):
                directory.write_together(
                    [
                        Put(partition=partition, key=key, data={}, expect=version)
                        for key, version in versions.items()
                    ]
                )
                return

    with ThreadPoolExecutor(max_workers=4) as callers:
        list(callers.map(step, range(24)))
    assert [item.version for item in directory.scan(partition)] == [24, 24]


# --- DynamoDB alone --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reasons",
    [
        ["None", "TransactionConflict"],
        ["ThrottlingError", "None"],
        ["ProvisionedThroughputExceeded", "TransactionConflict"],
    ],
)
def test_a_conflict_with_another_transaction_and_throttling_mean_that_it_is_to_be_repeated(
    dynamo: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str, reasons: list[str]
) -> None:
    with faults.cancelling(dynamodb_client, reasons), pytest.raises(StoreUnavailable):
        dynamo.write_together(_two(partition))
    assert list(dynamo.scan(partition)) == []


def test_a_failed_condition_beside_a_conflict_is_a_failed_precondition(
    dynamo: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str
) -> None:
    reasons = ["TransactionConflict", "ConditionalCheckFailed"]
    with faults.cancelling(dynamodb_client, reasons), pytest.raises(PreconditionFailed, match=r"b is not at"):
        dynamo.write_together(_two(partition))


@pytest.mark.parametrize("reason", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_cancellation_that_repeating_cannot_change_passes_as_it_is(
    dynamo: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str, reason: str
) -> None:
    with faults.cancelling(dynamodb_client, [reason, "None"]), pytest.raises(ClientError):
        dynamo.write_together(_two(partition))


@pytest.mark.parametrize(
    ("code", "status"),
    [("TransactionInProgressException", 400), ("ThrottlingException", 400), ("InternalServerError", 500)],
)
def test_a_store_that_cannot_say_is_unavailable(
    dynamo: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str, code: str, status: int
) -> None:
    with faults.answering(dynamodb_client, OPERATION, code, status), pytest.raises(StoreUnavailable):
        dynamo.write_together(_two(partition))


def test_a_lost_reply_is_an_unavailable_store_and_the_versions_tell_that_it_was_done(
    dynamo: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str
) -> None:
    timeout = ReadTimeoutError(endpoint_url="http://127.0.0.1:9")
    with faults.losing_replies(dynamodb_client, OPERATION, timeout), pytest.raises(StoreUnavailable):
        dynamo.write_together(_two(partition))
    assert [item.version for item in dynamo.scan(partition)] == [1, 1]


def test_a_call_that_the_client_library_repeats_carries_the_same_token_and_another_call_another(
    dynamo: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str
) -> None:
    with faults.sending(dynamodb_client, OPERATION) as sent:
        with faults.repeating(dynamodb_client, OPERATION):
            dynamo.write_together([Put(partition=partition, key="a", data={})])
        dynamo.write_together([Put(partition=partition, key="a", data={})])
    tokens = [body["ClientRequestToken"] for body in sent]
    assert len(tokens) == 3
    assert tokens[0] == tokens[1] != tokens[2]


def test_what_a_batch_leaves_out_is_asked_for_again(
    dynamo: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str
) -> None:
    names = [(partition, key) for key in "abc"]
    for name in names:
        dynamo.put(*name, {})
    with faults.leaving_out(dynamodb_client, times=2):
        assert dynamo.get_many(names).keys() == set(names)
    with faults.leaving_out(dynamodb_client, times=100), pytest.raises(StoreUnavailable):
        dynamo.get_many(names)


def test_of_many_to_be_deleted_those_that_are_there_are_gone_afterwards(
    directory: Directory, partition: str
) -> None:
    names = [(partition, f"{number:03}") for number in range(60)]
    for name in names[10:]:
        directory.put(*name, {})
    directory.delete_many([*names[:59], names[20]])
    assert [item.key for item in directory.scan(partition)] == ["059"]
    directory.delete_many([])
    assert [item.key for item in directory.scan(partition)] == ["059"]


def test_what_a_batch_does_not_delete_is_deleted_by_the_next(
    dynamo: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str
) -> None:
    names = [(partition, key) for key in "abc"]
    for name in names:
        dynamo.put(*name, {})
    with faults.leaving_undone(dynamodb_client, times=2):
        dynamo.delete_many(names)
    assert dynamo.scan(partition) == []
    dynamo.put(*names[0], {})
    with faults.leaving_undone(dynamodb_client, times=100), pytest.raises(StoreUnavailable):
        dynamo.delete_many(names[:1])
    assert len(dynamo.scan(partition)) == 1


def _two(partition: str) -> list[Write]:
    return [
        Put(partition=partition, key="a", data={}, expect=0),
        Put(partition=partition, key="b", data={}, expect=0),
    ]
