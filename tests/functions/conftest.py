"""The handlers on a populated stack, installed for the length of one test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functions.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The world of the sample events; waits are over at once."""
    made = Stack(tmp_path)
    made.use(made.services)
    try:
        made.populate()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FLOWSTRAND_HOSTED_QUEUE", "default")
            yield made
    finally:
        made.close()
