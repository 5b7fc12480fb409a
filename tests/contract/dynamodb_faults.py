"""Faults of the DynamoDB service itself, injected by botocore's own events, on moto or on a real endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


@contextmanager
def answering(client: DynamoDBClient, operation: str, code: str, status: int) -> Iterator[None]:
    """Inside the block the service answers `operation` with an error, and does nothing."""

    def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]]:
        error = {"Code": code, "Message": "injected"}
        return (
            AWSResponse("", status, HTTPHeaders(), None),
            {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}},
        )

    with _registered(client, f"before-call.dynamodb.{operation}", answer):
        yield


@contextmanager
def cancelling(client: DynamoDBClient, reasons: list[str]) -> Iterator[None]:
    """Inside the block the service cancels every transaction: one reason for each write, `None` for those not to blame."""

    def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]]:
        error = {"Code": "TransactionCanceledException", "Message": "injected"}
        return (
            AWSResponse("", 400, HTTPHeaders(), None),
            {
                "Error": error,
                "CancellationReasons": [{"Code": reason} for reason in reasons],
                "ResponseMetadata": {"HTTPStatusCode": 400},
            },
        )

    with _registered(client, "before-call.dynamodb.TransactWriteItems", answer):
        yield


@contextmanager
def leaving_out(client: DynamoDBClient, *, times: int) -> Iterator[None]:
    """Inside the block the service answers a batch read `times` with one item and leaves the others for later."""
    left = [times]

    def leave_out(parsed: dict[str, Any], **_: object) -> None:
        for table, items in parsed.get("Responses", {}).items():
            if left[0] and len(items) > 0:
                left[0] -= 1
                kept, others = ([items[0]], items[1:]) if times <= len(items) else ([], items)
                parsed["Responses"][table] = kept
                keys = [{name: item[name] for name in ("partition", "key")} for item in others]
                parsed["UnprocessedKeys"] = {table: {"Keys": keys, "ConsistentRead": True}}

    with _registered(client, "after-call.dynamodb.BatchGetItem", leave_out):
        yield


@contextmanager
def leaving_undone(client: DynamoDBClient, *, times: int) -> Iterator[None]:
    """Inside the block the service does, `times`, only the first of a batch of writes, or none if there is only one."""
    left, undone = [times], dict[str, list[Any]]()

    def hold_back(params: dict[str, Any], **_: object) -> dict[str, Any]:
        undone.clear()
        if not left[0]:
            return params
        left[0] -= 1
        done = {}
        for table, requests in params["RequestItems"].items():
            first = [] if len(requests) == 1 else requests[:1]
            undone[table] = requests[len(first) :]
            # DynamoDB takes no empty batch: what does nothing is the deletion of an item that nobody has.
            done[table] = first or [
                {"DeleteRequest": {"Key": {"partition": {"S": "nobody"}, "key": {"S": "has"}}}}
            ]
        return {**params, "RequestItems": done}

    def say_so(parsed: dict[str, Any], **_: object) -> None:
        if undone:
            parsed["UnprocessedItems"] = dict(undone)

    operation = "dynamodb.BatchWriteItem"
    with (
        _registered(client, f"provide-client-params.{operation}", hold_back),
        _registered(client, f"after-call.{operation}", say_so),
    ):
        yield


@contextmanager
def sending(client: DynamoDBClient, operation: str) -> Iterator[list[dict[str, Any]]]:
    """Yields a list that fills with the body of every request of `operation` inside the block, repetitions too."""
    bodies: list[dict[str, Any]] = []

    def note(request: Any, **_: object) -> None:
        bodies.append(json.loads(request.body))

    with _registered(client, f"before-send.dynamodb.{operation}", note):
        yield bodies


@contextmanager
def losing_requests(client: DynamoDBClient, operation: str, error: Exception) -> Iterator[None]:
    """Inside the block `operation` never reaches the service."""

    def lose(**_: object) -> None:
        raise error

    with _registered(client, f"before-call.dynamodb.{operation}", lose):
        yield


@contextmanager
def losing_replies(client: DynamoDBClient, operation: str, error: Exception) -> Iterator[None]:
    """Inside the block `operation` is done, and its reply is lost."""

    def lose(**_: object) -> None:
        raise error

    with _registered(client, f"after-call.dynamodb.{operation}", lose):
        yield


@contextmanager
def repeating(client: DynamoDBClient, operation: str) -> Iterator[None]:
    """Inside the block the client library sends `operation` twice, as after a reply that it did not get."""

    def again(attempts: int, **_: object) -> int | None:
        return 0 if attempts == 1 else None

    with _registered(client, f"needs-retry.dynamodb.{operation}", again):
        yield


@contextmanager
def recording(client: DynamoDBClient) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Yields a list that fills with `(operation, answer)` of every call inside the block."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def record(model: Any, parsed: dict[str, Any], **_: object) -> None:
        calls.append((model.name, parsed))

    with _registered(client, "after-call.dynamodb.*", record):
        yield calls


@contextmanager
def _registered(client: DynamoDBClient, event: str, handler: Callable[..., Any]) -> Iterator[None]:
    client.meta.events.register_first(event, handler)
    try:
        yield
    finally:
        client.meta.events.unregister(event, handler)
