"""What only one of the directory's stores does: DynamoDB's errors and its TTL, SQLite's purge."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from flowstrand.directory.dynamodb import DynamoDirectory, create_directory_table
from flowstrand.directory.port import Item, PreconditionFailed
from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.errors import LogCorrupted, StoreUnavailable
from flowstrand.log.sqlite_database import SqliteDatabase
from tests.contract import dynamodb_faults as faults

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

OPERATIONS = ["GetItem", "UpdateItem", "DeleteItem", "Query"]


@pytest.fixture
def directory(dynamodb_client: DynamoDBClient, table_name: str) -> DynamoDirectory:
    create_directory_table(dynamodb_client, table_name)
    return DynamoDirectory(dynamodb_client, table_name)


@pytest.fixture
def partition() -> str:
    return uuid4().hex


def call(directory: DynamoDirectory, operation: str, partition: str) -> None:
    match operation:
        case "GetItem":
            directory.get(partition, "a")
        case "UpdateItem":
            directory.put(partition, "a", {}, expect=0)
        case "DeleteItem":
            directory.delete(partition, "a", expect=1)
        case _:
            directory.scan(partition)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("code", "status"), [("ThrottlingException", 400), ("InternalServerError", 500)])
def test_throttling_and_server_errors_are_no_failed_preconditions(
    directory: DynamoDirectory,
    dynamodb_client: DynamoDBClient,
    partition: str,
    operation: str,
    code: str,
    status: int,
) -> None:
    with faults.answering(dynamodb_client, operation, code, status), pytest.raises(StoreUnavailable):
        call(directory, operation, partition)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_lost_reply_is_an_unavailable_store(
    directory: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str, operation: str
) -> None:
    if operation == "DeleteItem":
        directory.put(partition, "a", {})
    timeout = ReadTimeoutError(endpoint_url="http://127.0.0.1:9")
    with faults.losing_replies(dynamodb_client, operation, timeout), pytest.raises(StoreUnavailable):
        call(directory, operation, partition)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_refusal_that_repeating_cannot_change_passes_as_it_is(
    directory: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str, operation: str
) -> None:
    with (
        faults.answering(dynamodb_client, operation, "AccessDeniedException", 400),
        pytest.raises(ClientError, match="AccessDenied"),
    ):
        call(directory, operation, partition)


@pytest.mark.parametrize("expect", [0, 1])
def test_a_conditional_put_repeated_inside_the_client_library_is_a_success(
    directory: DynamoDirectory, dynamodb_client: DynamoDBClient, partition: str, expect: int
) -> None:
    for _ in range(expect):
        directory.put(partition, "lease", {"holder": "before"})
    with faults.repeating(dynamodb_client, "UpdateItem"):
        taken = directory.put(partition, "lease", {"holder": "me"}, expect=expect)
    assert taken == Item(partition=partition, key="lease", data={"holder": "me"}, version=expect + 1)
    with pytest.raises(PreconditionFailed):
        directory.put(partition, "lease", {"holder": "me"}, expect=expect)


def test_an_expiry_is_whole_seconds_and_never_early(
    directory: DynamoDirectory, dynamodb_client: DynamoDBClient, table_name: str, partition: str
) -> None:
    where = {"partition": {"S": partition}, "key": {"S": "a"}}
    stored: list[object] = []
    for expires_at_ms in (1_000, 1_001, None):
        directory.put(partition, "a", {}, expires_at_ms=expires_at_ms)
        item = dynamodb_client.get_item(TableName=table_name, Key=where)["Item"]
        stored.append(item.get("expires_at"))
    assert stored == [{"N": "1"}, {"N": "2"}, None]


def test_the_table_expires_items_by_that_attribute(
    directory: DynamoDirectory, dynamodb_client: DynamoDBClient, table_name: str
) -> None:
    create_directory_table(dynamodb_client, table_name)
    assert directory.get("nowhere", "nothing") is None
    described = dynamodb_client.describe_time_to_live(TableName=table_name)["TimeToLiveDescription"]
    assert described.get("AttributeName") == "expires_at"


def test_a_purge_removes_what_has_expired_and_nothing_else(database: SqliteDatabase, partition: str) -> None:
    directory = SqliteDirectory(database)
    directory.put(partition, "kept", {})
    directory.put(partition, "late", {}, expires_at_ms=2_001)
    directory.put(partition, "past", {}, expires_at_ms=2_000)
    directory.purge(2_000)
    assert [item.key for item in directory.scan(partition)] == ["kept", "late"]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_data_that_is_no_object_is_damage(database: SqliteDatabase, partition: str, text: str) -> None:
    directory = SqliteDirectory(database)
    directory.put(partition, "a", {})
    database.execute("UPDATE directory_items SET data = ? WHERE partition = ?", (text, partition))
    with pytest.raises(LogCorrupted):
        directory.get(partition, "a")
