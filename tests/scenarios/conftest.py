"""A world per store, warm and with forced cold replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest
from moto import mock_aws

from flowstrand.local.aws_endpoint import AwsEndpoint
from flowstrand.local.stores import Stores, dynamodb_stores, sqlite_stores
from flowstrand.service.container import Programs, install
from tests.contract.endpoints import one_dynamodb_request_at_a_time
from tests.scenarios.app import APP
from tests.scenarios.world import World

_MOTO = AwsEndpoint(
    dynamodb_url="https://dynamodb.eu-central-1.amazonaws.com",
    s3_url="https://s3.eu-central-1.amazonaws.com",
    log_table="log",
    directory_table="directory",
    payload_bucket="payloads",
    options={"region_name": "eu-central-1"},
)
"""AWS's own addresses, which moto answers in process."""


STORES = ("sqlite-warm", "sqlite-cold", "dynamodb-warm", "dynamodb-cold")

Everywhere: TypeAlias = Callable[[Programs], Iterator[World]]


@pytest.fixture(params=STORES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The handlers on an empty store; `cold` forgets every coroutine after every turn."""
    with ExitStack() as stack:
        stores = _stores(request.param.partition("-")[0], tmp_path, stack)
        yield _world(request.param, stores, stack, APP)


@pytest.fixture(params=("sqlite", "dynamodb"))
def busy_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The handlers on an empty store, for tests that call them from many threads."""
    with ExitStack() as stack:
        stores = _stores(request.param, tmp_path, stack)
        stack.enter_context(one_dynamodb_request_at_a_time())
        yield _world(f"{request.param}-warm", stores, stack, APP)


@pytest.fixture(scope="module")
def both_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stores]]:
    """One of each, for tests that ask for nothing but their own executions."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("both")
        yield {store: _stores(store, folder, stack) for store in ("sqlite", "dynamodb")}


@pytest.fixture
def everywhere(both_stores: dict[str, Stores]) -> Everywhere:
    """Worlds, one after the other: each store, warm and cold."""

    def worlds(programs: Programs) -> Iterator[World]:
        for name in STORES:
            with ExitStack() as stack:
                yield _world(name, both_stores[name.partition("-")[0]], stack, programs)

    return worlds


def _world(name: str, stores: Stores, stack: ExitStack, programs: Programs) -> World:
    made = World(stores, warm=16 if name.endswith("warm") else 0, programs=programs)
    stack.callback(install(made.services))
    return made


def _stores(store: str, folder: Path, stack: ExitStack) -> Stores:
    if store == "dynamodb":
        stack.enter_context(mock_aws())
        stores = dynamodb_stores(_MOTO)
    else:
        stores = sqlite_stores(folder)
    stack.callback(stores.close)
    return stores
