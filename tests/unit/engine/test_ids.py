"""Ids: one is made, every other derives from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine import ids
from flowstrand.engine.names import is_id

MOMENTS = st.integers(min_value=0, max_value=2**48 - 1)
RANDOM = st.binary(min_size=10, max_size=10)
FAMILIES = st.sampled_from([ids.TASK, ids.TIMER, ids.CHILD, ids.OPERATION])


@given(now_ms=MOMENTS, random=RANDOM)
def test_an_execution_id_is_a_ulid(now_ms: int, random: bytes) -> None:
    made = ids.execution_id(now_ms, random)
    assert len(made) == 26
    assert set(made) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    assert is_id(made)
    number = 0
    for character in made:
        number = number * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(character)
    assert (number >> 80, (number & (2**80 - 1)).to_bytes(10, "big")) == (now_ms, random)


@given(earlier=MOMENTS, later=MOMENTS, first=RANDOM, second=RANDOM)
def test_execution_ids_sort_by_creation(earlier: int, later: int, first: bytes, second: bytes) -> None:
    if earlier < later:
        assert ids.execution_id(earlier, first) < ids.execution_id(later, second)


@pytest.mark.parametrize("count", [0, 9, 11])
def test_an_execution_id_takes_exactly_ten_random_bytes(count: int) -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        ids.execution_id(0, bytes(count))


@given(now_ms=MOMENTS, random=RANDOM, family=FAMILIES, position=st.integers(min_value=1, max_value=10**9))
def test_an_operation_id_says_whose_it_is(now_ms: int, random: bytes, family: str, position: int) -> None:
    execution = ids.execution_id(now_ms, random)
    operation = ids.operation_id(execution, family, position)
    assert ids.owner_of(operation) == (execution, family, position)
    assert is_id(operation)


def test_a_child_is_an_execution_with_operations_of_its_own() -> None:
    child = ids.operation_id("01X", ids.CHILD, 4)
    assert ids.operation_id(child, ids.TIMER, 1) == "01X.c4.m1"
    assert ids.owner_of("01X.c4.m1") == ("01X.c4", ids.TIMER, 1)


@given(
    places=st.lists(
        st.tuples(FAMILIES, st.integers(min_value=1, max_value=50)), min_size=2, max_size=20, unique=True
    )
)
def test_different_places_have_different_ids(places: list[tuple[str, int]]) -> None:
    made = {ids.operation_id("01X", family, position) for family, position in places}
    assert len(made) == len(places)


@pytest.mark.parametrize(
    "text", ["", "01X", ".t1", "01X.", "01X.t", "01X.x1", "01X.t-1", "01X.t1a", "01X.t 1", "t1"]
)
def test_what_is_no_operation_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an operation id"):
        ids.owner_of(text)
