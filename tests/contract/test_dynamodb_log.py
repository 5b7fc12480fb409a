"""What only DynamoDB can do to a log: its errors, its pages, its items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from flowstrand.errors import StoreUnavailable
from flowstrand.log.dynamodb import DynamoLog, create_log_table
from flowstrand.log.port import AppendConflict
from tests.contract import dynamodb_faults as faults
from tests.contract.commits import WRITTEN_AT_MS, append_all, commit, new_key
from tests.contract.endpoints import dynamodb_endpoint

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

URL = "http://127.0.0.1:9"
REFUSALS = [
    ("ProvisionedThroughputExceededException", 400),
    ("ThrottlingException", 400),
    ("RequestLimitExceeded", 400),
    ("InternalServerError", 500),
    ("ServiceUnavailable", 503),
    ("SomethingNew", 502),
]


@pytest.fixture
def log(dynamodb_client: DynamoDBClient, table_name: str) -> DynamoLog:
    create_log_table(dynamodb_client, table_name)
    return DynamoLog(dynamodb_client, table_name)


@pytest.mark.parametrize(("code", "status"), REFUSALS)
def test_throttling_and_server_errors_are_no_conflicts(
    log: DynamoLog, dynamodb_client: DynamoDBClient, code: str, status: int
) -> None:
    key = new_key()
    (first,) = append_all(log, key, 1)
    with faults.answering(dynamodb_client, "PutItem", code, status), pytest.raises(StoreUnavailable):
        log.append(commit(key, 2))
    with faults.answering(dynamodb_client, "Query", code, status):
        for read in (lambda: log.tail(key), lambda: log.read(key, after=0), lambda: log.commit_at(key, 1)):
            with pytest.raises(StoreUnavailable):
                read()
    assert log.tail(key) == first


def test_a_throttled_page_in_the_middle_of_a_read_is_no_end_of_the_log(
    log: DynamoLog, dynamodb_client: DynamoDBClient
) -> None:
    key = new_key()
    append_all(log, key, *[1] * 5, size=300_000)
    read: list[str] = []

    def throttle_the_second(**_: object) -> None:
        read.append("Query")
        if len(read) == 2:
            raise ReadTimeoutError(endpoint_url=URL)

    dynamodb_client.meta.events.register("before-call.dynamodb.Query", throttle_the_second)
    try:
        with pytest.raises(StoreUnavailable):
            log.read(key, after=0)
    finally:
        dynamodb_client.meta.events.unregister("before-call.dynamodb.Query", throttle_the_second)


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url=URL), ConnectTimeoutError(endpoint_url=URL)],
    ids=["dns", "connect"],
)
def test_a_request_that_never_arrived_may_be_repeated(
    log: DynamoLog, dynamodb_client: DynamoDBClient, error: Exception
) -> None:
    key = new_key()
    mine = commit(key, 1)
    with faults.losing_requests(dynamodb_client, "PutItem", error), pytest.raises(StoreUnavailable):
        log.append(mine)
    assert log.tail(key) is None
    log.append(mine)
    assert log.tail(key) == mine


def test_a_reply_that_timed_out_is_recognised_on_repetition(
    log: DynamoLog, dynamodb_client: DynamoDBClient
) -> None:
    key = new_key()
    mine = commit(key, 1)
    timeout = ReadTimeoutError(endpoint_url=URL)
    with faults.losing_replies(dynamodb_client, "PutItem", timeout), pytest.raises(StoreUnavailable):
        log.append(mine)
    log.append(mine)
    with pytest.raises(AppendConflict):
        log.append(commit(key, 1))
    assert list(log.read(key, after=0)) == [mine]


def test_a_put_repeated_inside_the_client_library_is_a_success(
    log: DynamoLog, dynamodb_client: DynamoDBClient
) -> None:
    key = new_key()
    mine = commit(key, 1)
    with faults.repeating(dynamodb_client, "PutItem"):
        log.append(mine)
    assert list(log.read(key, after=0)) == [mine]


def test_an_endpoint_that_does_not_return_the_item_in_the_way_is_asked_for_it(
    log: DynamoLog, dynamodb_client: DynamoDBClient
) -> None:
    key = new_key()
    (mine,) = append_all(log, key, 2)
    with faults.answering(dynamodb_client, "PutItem", "ConditionalCheckFailedException", 400):
        log.append(mine)
        with pytest.raises(AppendConflict):
            log.append(commit(key, 1))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"])
def test_a_refusal_that_repeating_cannot_change_passes_as_it_is(
    log: DynamoLog, dynamodb_client: DynamoDBClient, code: str
) -> None:
    with faults.answering(dynamodb_client, "PutItem", code, 400), pytest.raises(ClientError, match=code):
        log.append(commit(new_key(), 1))


def test_missing_credentials_are_not_an_unavailable_store(log: DynamoLog, dynamodb_client: DynamoDBClient) -> None:
    error = NoCredentialsError()
    with faults.losing_requests(dynamodb_client, "Query", error), pytest.raises(NoCredentialsError):
        log.tail(new_key())


def test_an_item_has_the_attributes_that_the_design_names(
    log: DynamoLog, dynamodb_client: DynamoDBClient, table_name: str
) -> None:
    key = new_key()
    written = commit(key, 1, 2, checkpoint=b"folded", checkpoint_at=1)
    log.append(written)
    item = dynamodb_client.get_item(
        TableName=table_name, Key={"execution": {"S": str(key)}, "sequence": {"N": "1"}}
    )["Item"]
    assert item == {
        "execution": {"S": f"acme#{key.execution_id}"},
        "sequence": {"N": "1"},
        "count": {"N": "2"},
        "events": {"B": written.events},
        "written_at": {"N": str(WRITTEN_AT_MS + 1)},
        "commit_id": {"S": written.commit_id},
        "checkpoint": {"B": b"folded"},
        "checkpoint_at": {"N": "1"},
    }


def test_writers_and_readers_need_no_other_permission_than_put_item_and_query(
    log: DynamoLog, dynamodb_client: DynamoDBClient
) -> None:
    key = new_key()
    with faults.recording(dynamodb_client) as calls:
        append_all(log, key, 1, 2)
        with pytest.raises(AppendConflict):
            log.append(commit(key, 1))
        log.tail(key)
        log.read(key, after=1)
        log.commit_at(key, 2)
    assert {operation for operation, _ in calls} == {"PutItem", "Query"}


def test_the_items_scanned_do_not_grow_with_the_history(log: DynamoLog, dynamodb_client: DynamoDBClient) -> None:
    costs: list[list[tuple[str, int]]] = []
    for length in (10, 80):
        key = new_key()
        append_all(log, key, *[1] * length)
        with faults.recording(dynamodb_client) as calls:
            log.tail(key)
            log.read(key, after=length)
            log.read(key, after=length - 2)
            log.read(key, after=length // 2, limit=3)
            log.commit_at(key, 3)
        costs.append([(operation, answer["ScannedCount"]) for operation, answer in calls])
    assert costs[0] == costs[1]
    assert sum(scanned for _, scanned in costs[0]) <= 11


def test_making_a_table_twice_keeps_what_is_in_it(
    log: DynamoLog, dynamodb_client: DynamoDBClient, table_name: str
) -> None:
    key = new_key()
    (written,) = append_all(log, key, 1)
    create_log_table(dynamodb_client, table_name)
    assert log.tail(key) == written


def test_the_suite_can_be_pointed_at_any_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALSTACK_HOST", raising=False)
    assert dynamodb_endpoint("") is None
    assert dynamodb_endpoint("http://127.0.0.1:8000") == "http://127.0.0.1:8000"
    assert (dynamodb_endpoint("localstack") or "").startswith("http")
