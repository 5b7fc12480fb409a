"""A server per test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.process import DevProcess


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DevProcess]:
    """Running, with the key `k` and an embedded worker."""
    process = DevProcess(tmp_path)
    try:
        process.start()
        yield process
    finally:
        process.close()
