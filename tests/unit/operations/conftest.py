"""AWS as moto has it, with one stack for each test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from moto import mock_aws

from flowstrand.operations.place import Place
from flowstrand.operations.stack import Clients, boto_clients
from tests.unit.operations.deployed import Functions, deploy

_numbers = count(1)


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Of an account in memory."""
    with mock_aws():
        yield boto_clients()


@pytest.fixture
def deployed(clients: Clients) -> tuple[Place, Functions]:
    """A stack of its own, with nothing wrong."""
    return deploy(clients, f"flowstrand-{next(_numbers)}")
