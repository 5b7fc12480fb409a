"""The handlers on a populated stack, installed for the length of one test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flowstrand.service.container import install
from tests.functions.stack import Stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """The world of the sample events; waits are over at once."""
    monkeypatch.setenv("FLOWSTRAND_HOSTED_QUEUE", "default")
    made = Stack(tmp_path)
    uninstall = install(made.services)
    try:
        made.populate()
        yield made
    finally:
        uninstall()
