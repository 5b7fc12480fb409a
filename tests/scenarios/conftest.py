"""A world per store, warm and with forced cold replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import boto3
import pytest
from moto import mock_aws

from flowstrand.dataclass import dataclass
from flowstrand.local.aws_endpoint import AwsEndpoint
from flowstrand.local.stores import Stores, dynamodb_stores, sqlite_stores
from flowstrand.service.container import Programs, install
from tests.contract.endpoints import one_dynamodb_request_at_a_time
from tests.scenarios.app import APP
from tests.scenarios.world import GoingClock, StillClock, World
from tests.support.quick_moto import ANONYMOUS, quick_moto

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client

STORES = ("sqlite-warm", "sqlite-cold", "dynamodb-warm", "dynamodb-cold")

Everywhere: TypeAlias = Callable[[Programs], Iterator[World]]
NewStores: TypeAlias = Callable[[], Stores]

_AWS = AwsEndpoint(
    dynamodb_url="https://dynamodb.eu-central-1.amazonaws.com",
    s3_url="https://s3.eu-central-1.amazonaws.com",
    log_table="log",
    directory_table="directory",
    payload_bucket="payloads",
    options={"region_name": "eu-central-1"},
)
"""AWS's own addresses, which moto answers in process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedClients(AwsEndpoint):
    """An endpoint whose clients are there already: making them takes longer than most tests do."""

    clients: tuple[DynamoDBClient, S3Client]

    def dynamodb(self) -> DynamoDBClient:
        return self.clients[0]

    def s3(self) -> S3Client:
        return self.clients[1]


@pytest.fixture(scope="module")
def moto_stores() -> Iterator[NewStores]:
    """Makes stores on moto, each with tables and a bucket of its own."""
    numbers = count(1)
    with mock_aws(), quick_moto():
        clients = boto3.client("dynamodb", config=ANONYMOUS, region_name=_AWS.options["region_name"]), _AWS.s3()

        def stores() -> Stores:
            number = next(numbers)
            endpoint = SharedClients(
                dynamodb_url=_AWS.dynamodb_url,
                s3_url=_AWS.s3_url,
                log_table=f"log-{number}",
                directory_table=f"directory-{number}",
                payload_bucket=f"payloads-{number}",
                options=_AWS.options,
                clients=clients,
            )
            return dynamodb_stores(endpoint)

        yield stores


@pytest.fixture(params=STORES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The handlers on an empty store; `cold` forgets every coroutine after every turn."""
    with ExitStack() as stack:
        stores = _stores(request, request.param.partition("-")[0], tmp_path)
        stack.callback(stores.close)
        yield _world(request.param, stores, stack, APP)


@pytest.fixture(params=("sqlite", "dynamodb"))
def busy_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The handlers on an empty store, for tests that call them from many threads."""
    with ExitStack() as stack:
        stores = _stores(request, request.param, tmp_path)
        stack.callback(stores.close)
        stack.enter_context(one_dynamodb_request_at_a_time())
        yield _world(f"{request.param}-warm", stores, stack, APP, GoingClock())


@pytest.fixture(scope="module")
def both_stores(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Stores]]:
    """One of each, for tests that ask for nothing but their own executions."""
    folder = tmp_path_factory.mktemp("both")
    both = {store: _stores(request, store, folder) for store in ("sqlite", "dynamodb")}
    yield both
    for stores in both.values():
        stores.close()


@pytest.fixture
def everywhere(both_stores: dict[str, Stores]) -> Everywhere:
    """Worlds, one after the other: each store, warm and cold."""

    def worlds(programs: Programs) -> Iterator[World]:
        for name in STORES:
            with ExitStack() as stack:
                yield _world(name, both_stores[name.partition("-")[0]], stack, programs)

    return worlds


def _world(
    name: str, stores: Stores, stack: ExitStack, programs: Programs, clock: StillClock | None = None
) -> World:
    made = World(stores, warm=16 if name.endswith("warm") else 0, programs=programs, clock=clock)
    stack.callback(install(made.services))
    return made


def _stores(request: pytest.FixtureRequest, store: str, folder: Path) -> Stores:
    if store == "sqlite":
        return sqlite_stores(folder)
    new: NewStores = request.getfixturevalue("moto_stores")
    return new()
