"""A world per store, warm and with forced cold replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from moto import mock_aws

from flowstrand.local.aws_endpoint import AwsEndpoint
from flowstrand.local.stores import Stores, dynamodb_stores, sqlite_stores
from flowstrand.service.container import install
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


@pytest.fixture(params=["sqlite-warm", "sqlite-cold", "dynamodb-warm", "dynamodb-cold"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The handlers on an empty store; `cold` forgets every coroutine after every turn."""
    store, _, replay = request.param.partition("-")
    with ExitStack() as stack:
        made = World(_stores(store, tmp_path, stack), warm=16 if replay == "warm" else 0)
        stack.callback(install(made.services))
        stack.callback(made.services.warm.clear)
        yield made


def _stores(store: str, folder: Path, stack: ExitStack) -> Stores:
    if store == "dynamodb":
        stack.enter_context(mock_aws())
        stores = dynamodb_stores(_MOTO)
    else:
        stores = sqlite_stores(folder)
    stack.callback(stores.close)
    return stores
