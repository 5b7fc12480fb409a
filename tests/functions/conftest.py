"""The handlers on a populated stack, installed for the length of one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functions.populated import Populated
from tests.functions.stack import Stack


@pytest.fixture(scope="session")
def populated() -> Populated:
    """The world of the sample events."""
    return Populated()


@pytest.fixture
def stack(populated: Populated) -> Iterator[Stack]:
    """A copy of it, installed; waits are over at once."""
    made = populated.copy()
    made.use(made.services)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FLOWSTRAND_HOSTED_QUEUE", "default")
            yield made
    finally:
        made.close()
