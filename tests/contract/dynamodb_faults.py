"""Faults of the DynamoDB service itself, injected by botocore's own events, on moto or on a real endpoint."""

from __future__ import annotations

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
