"""Adapters that are made when they are first used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from flowstrand.aws.deferred import deferred
from flowstrand.errors import StoreUnavailable


class Adapter:
    """Counts how many there are."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1
        self.number = type(self).made

    def double(self, value: int) -> int:
        return 2 * value


@pytest.fixture(autouse=True)
def _none_made() -> None:
    Adapter.made = 0


def test_nothing_is_made_before_it_is_used_and_then_once() -> None:
    adapter = deferred(Adapter)
    assert Adapter.made == 0
    assert (adapter.double(2), adapter.number) == (4, 1)
    assert Adapter.made == 1


def test_it_is_taken_for_what_it_makes() -> None:
    assert isinstance(deferred(Adapter), Adapter)


def test_threads_that_come_together_make_one() -> None:
    adapter, together = deferred(Adapter), Barrier(8)

    def use(_: int) -> int:
        together.wait(10)
        return adapter.number

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(use, range(8))) == {1}


def test_what_cannot_be_made_now_is_tried_again() -> None:
    failures = [StoreUnavailable("not now")]

    def make() -> Adapter:
        if failures:
            raise failures.pop()
        return Adapter()

    adapter = deferred(make)
    with pytest.raises(StoreUnavailable):
        adapter.double(1)
    assert adapter.double(1) == 2


def test_what_it_does_not_have_it_does_not_have() -> None:
    with pytest.raises(AttributeError):
        _ = deferred(Adapter).nothing  # type: ignore[attr-defined]  # the point of the test
