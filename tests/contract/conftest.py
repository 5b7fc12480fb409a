"""Stores for the contract suites, one set per module: every test uses keys of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from flowstrand.log.sqlite_database import SqliteDatabase
from tests.contract.endpoints import dynamodb

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what talks to DynamoDB, wherever it is in the suite."""
    for item in items:
        if isinstance(item, pytest.Function) and _is_on_dynamodb(item):
            item.add_marker(pytest.mark.dynamodb)


def _is_on_dynamodb(item: pytest.Function) -> bool:
    stores = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return "dynamodb_client" in item.fixturenames or "dynamodb" in stores


@pytest.fixture(scope="module")
def database() -> Iterator[SqliteDatabase]:
    database = SqliteDatabase.temporary()
    yield database
    database.close()


@pytest.fixture(scope="module")
def memory_database() -> Iterator[SqliteDatabase]:
    database = SqliteDatabase.in_memory()
    yield database
    database.close()


@pytest.fixture(scope="module")
def dynamodb_client() -> Iterator[DynamoDBClient]:
    with dynamodb() as client:
        yield client


@pytest.fixture(scope="module")
def table_name(dynamodb_client: DynamoDBClient) -> Iterator[str]:
    """A name for a table that is dropped afterwards."""
    name = f"flowstrand-{uuid4().hex}"
    yield name
    dynamodb_client.delete_table(TableName=name)
