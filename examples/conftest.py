"""What the examples' tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Workflows do not care; tasks here are written for asyncio."""
    return "asyncio"
