"""Values to JSON and back, by annotation; what does not fit is refused where it is handed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from flowstrand import InvalidDefinition, NotSerializable
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.serde import Serde


class _Opaque:
    """Has no JSON form, and always the same `repr`: an address in a test's name would differ from process to process."""

    def __repr__(self) -> str:
        return "opaque"


class Colour(Enum):
    RED = "red"


class Line(BaseModel):
    item: str
    price: Decimal


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    when: datetime
    ids: tuple[int, ...]


class Aliased(BaseModel):
    order_id: str = Field(alias="orderId")


@dataclass(frozen=True)
class Basket:
    lines: list[Line]
    colour: Colour
    note: str | None = None


@dataclass
class Node:
    value: int
    next: Node | None = None


EXAMPLES = [
    (Line, Line(item="thread", price=Decimal("1.50"))),
    (Basket, Basket(lines=[Line(item="a", price=Decimal(1))], colour=Colour.RED)),
    (Node, Node(1, Node(2))),
    (Strict, Strict(when=datetime(2026, 1, 2, tzinfo=UTC), ids=(1, 2))),
    (Aliased, Aliased(orderId="A-1")),
    (list[Line], [Line(item="x", price=Decimal(2))]),
    (dict[str, Node], {"a": Node(1)}),
    (Line | None, None),
    (type(None), None),
    (datetime, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    (timedelta, timedelta(seconds=1.5)),
    (UUID, UUID(int=7)),
    (float, 0.1),
    (int, 2**70),
]


@pytest.mark.parametrize(("annotation", "value"), EXAMPLES, ids=lambda x: str(x)[:40])
def test_a_typed_value_comes_back_equal_and_of_its_type(annotation: Any, value: object) -> None:
    serde = Serde(annotation)
    back = serde.decode(serde.encode(value, "it"), "it")
    assert back == value
    assert type(back) is type(value)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(json_values)
def test_plain_json_passes_unchanged(value: JsonValue) -> None:
    assert Serde().decode(Serde().encode(value, "it"), "it") == value


def test_without_an_annotation_a_value_is_written_by_its_own_type() -> None:
    basket = Basket(lines=[Line(item="a", price=Decimal("1.5"))], colour=Colour.RED)
    encoded = Serde().encode(basket, "it")
    assert encoded == {"lines": [{"item": "a", "price": "1.5"}], "colour": "red", "note": None}


def test_plain_json_is_accepted_where_the_declared_type_can_be_made_from_it() -> None:
    assert Serde(Line).encode({"item": "a", "price": 2}, "it") == {"item": "a", "price": "2"}
    assert Serde(list[int]).encode((1, 2), "it") == [1, 2]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Line, None),
        (Line, {"item": "a"}),
        (Line, Node(1)),
        (int, "many"),
        (type(None), 3),
        (Basket, Basket(lines=["not a line"], colour=Colour.RED)),  # type: ignore[list-item]  # on purpose
        (float, float("nan")),
        (Any, float("inf")),
        (Any, _Opaque()),
        (Any, b"\xff"),
        (Any, "\ud800"),
        (str, "\ud800"),
    ],
    ids=repr,
)
def test_what_does_not_fit_is_refused_with_its_name_type_and_value(annotation: Any, value: object) -> None:
    with pytest.raises(NotSerializable) as caught:
        Serde(annotation).encode(value, "the input of task 'charge'")
    assert "the input of task 'charge'" in str(caught.value)
    assert repr(value)[:40] in str(caught.value)


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(NotSerializable):
        Serde().encode(endless, "it")


def test_recorded_data_that_no_longer_fits_is_refused_with_the_place_in_it() -> None:
    with pytest.raises(NotSerializable, match=r"the output of task 'price' is not Line: price: Field required"):
        Serde(Line).decode({"item": "a"}, "the output of task 'price'")


def test_a_type_that_json_cannot_be_read_into_is_a_definition_error() -> None:
    class Opaque:
        pass

    with pytest.raises(InvalidDefinition, match="Opaque"):
        Serde(Opaque).check()
