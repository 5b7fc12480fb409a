"""The program, and a server in memory behind it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import stamina

from flowstrand.client import SyncClient
from tests.unit.fake_api import FakeApi


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    fake = FakeApi()
    monkeypatch.setattr("flowstrand.client.SyncClient", partial(SyncClient, transport=fake.transport))
    monkeypatch.setenv("FLOWSTRAND_API_KEY", "key")
    for name in ("FLOWSTRAND_URL", "FLOWSTRAND_ORG"):
        monkeypatch.delenv(name, raising=False)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield fake
