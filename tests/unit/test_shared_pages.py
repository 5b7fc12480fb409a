"""Pages that are kept: only those that are facts, no more than was agreed, and each encoded once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowstrand.engine.events import EventType
from flowstrand.engine.ids import OrgId
from flowstrand.service.history import HistoryPage
from flowstrand.service.shared_pages import Place, SharedPages
from tests.unit.every_event import KEY


def place(after: int = 0, types: frozenset[EventType] | None = None) -> Place:
    return Place(KEY, after, types)


def page(next_after: int, size: int = 1) -> HistoryPage:
    return HistoryPage(events=(), next_after=next_after, up_to_date=True, closed=False, size=size)


def test_a_page_is_there_for_whoever_comes_to_its_place() -> None:
    pages = SharedPages()
    shared = pages.share(place(), page(3))
    assert pages.at(place()) is shared
    assert shared.page == page(3)


@pytest.mark.parametrize(
    "other",
    [
        place(1),
        place(types=frozenset({EventType.TASK_FAILED})),
        place(types=frozenset()),
        replace(place(), key=replace(KEY, org=OrgId("other"))),
    ],
)
def test_no_other_place_has_it(other: Place) -> None:
    pages = SharedPages()
    pages.share(place(), page(3))
    assert pages.at(other) is None


def test_a_page_that_does_not_go_forward_is_not_kept() -> None:
    pages = SharedPages()
    shared = pages.share(place(3), page(3))
    assert shared.page == page(3)
    assert pages.at(place(3)) is None


def test_the_pages_used_last_are_kept() -> None:
    pages = SharedPages(most_pages=2)
    for after in (0, 1):
        pages.share(place(after), page(after + 1))
    pages.at(place(0))
    pages.share(place(2), page(3))
    assert [pages.at(place(after)) is not None for after in (0, 1, 2)] == [True, False, True]


def test_pages_are_kept_up_to_their_bytes_and_one_that_is_too_large_not_at_all() -> None:
    pages = SharedPages(most_bytes=100)
    for after, size in ((0, 40), (1, 40), (2, 40)):
        pages.share(place(after), page(after + 1, size))
    assert [pages.at(place(after)) is not None for after in (0, 1, 2)] == [False, True, True]
    assert pages.share(place(3), page(4, 101)).page.size == 101
    assert [pages.at(place(after)) is not None for after in (1, 2, 3)] == [True, True, False]


def test_a_page_that_is_read_again_takes_the_place_and_the_room_of_the_first() -> None:
    pages = SharedPages(most_bytes=100)
    for _ in range(5):
        pages.share(place(), page(1, 60))
    pages.share(place(1), page(2, 40))
    assert pages.at(place()) is not None
    assert pages.at(place(1)) is not None


def test_where_no_page_is_to_be_kept_none_is() -> None:
    pages = SharedPages(most_pages=0)
    pages.share(place(), page(3))
    assert pages.at(place()) is None


def test_a_page_is_encoded_once_in_each_form() -> None:
    shared, made = SharedPages().share(place(), page(3)), list[str]()

    def encode(form: str) -> bytes:
        def encoded(_: HistoryPage) -> bytes:
            made.append(form)
            return form.encode()

        return shared.encoded(form, encoded)

    assert [encode("a"), encode("b"), encode("a"), encode("b")] == [b"a", b"b", b"a", b"b"]
    assert made == ["a", "b"]
