"""Values to JSON and back, by annotation: what is written reads back equal, and is written alike every time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Any, Generic, Literal, NamedTuple, NotRequired, TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, RootModel, SecretStr
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from flowstrand import InvalidDefinition
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.serde import Serde

T = TypeVar("T")


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


class Mood(StrEnum):
    GOOD = "good"


class Line(BaseModel):
    item: str
    price: Decimal


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    when: datetime
    ids: tuple[int, ...]


class Aliased(BaseModel):
    order_id: str = Field(alias="orderId")


class Page(BaseModel, Generic[T]):
    items: list[T]
    next: Page[T] | None = None


class Card(BaseModel):
    kind: Literal["card"] = "card"
    number: str


class Cash(BaseModel):
    kind: Literal["cash"] = "cash"
    notes: dict[int, int]


class Tags(RootModel[set[str]]):
    pass


class Blob(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    content: bytes


@dataclass(frozen=True)
class Basket:
    lines: list[Line]
    colour: Colour
    note: str | None = None


@dataclass
class Node:
    value: int
    next: Node | None = None


@dataclass
class Box(Generic[T]):
    inside: T
    labels: frozenset[str] = field(default_factory=frozenset)


@pydantic_dataclass
class Checked:
    count: int


class Address(TypedDict):
    street: str
    seal: bytes
    flat: NotRequired[int]


class Point(NamedTuple):
    x: int
    y: float = 0.0


Payment = Annotated[Card | Cash, Field(discriminator="kind")]

EXAMPLES = [
    (Line, Line(item="thread", price=Decimal("1.50"))),
    (Basket, Basket(lines=[Line(item="a", price=Decimal(1))], colour=Colour.RED)),
    (Node, Node(1, Node(2))),
    (Strict, Strict(when=datetime(2026, 1, 2, tzinfo=UTC), ids=(1, 2))),
    (Aliased, Aliased(orderId="A-1")),
    (Page[Line], Page[Line](items=[Line(item="a", price=Decimal(1))], next=Page[Line](items=[]))),
    (Box[datetime], Box(datetime(2026, 1, 2, tzinfo=UTC), frozenset({"a", "b"}))),
    (Checked, Checked(3)),
    (Annotated[Line, Field(description="one")], Line(item="a", price=Decimal(1))),
    (Annotated[Node, Field(description="one")], Node(1)),
    (Address, {"street": "High", "seal": b"\xff\x00"}),
    (list[Address], [{"street": "High", "seal": b"", "flat": 3}]),
    (Point, Point(1, 2.5)),
    (dict[str, Point], {"a": Point(1)}),
    (Payment, Cash(notes={20: 2})),
    (list[Payment], [Card(number="4"), Cash(notes={})]),
    (Tags, Tags({"b", "a"})),
    (Blob, Blob(content=b"\xff\xfe")),
    (list[Line], [Line(item="x", price=Decimal(2))]),
    (dict[str, Node], {"a": Node(1)}),
    (Line | None, None),
    (int | str, "7"),
    (int | str, 7),
    (int | datetime, datetime(2026, 1, 2, tzinfo=UTC)),
    (type(None), None),
    (datetime, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
    (datetime, datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=30)))),
    (datetime, datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001 - stays naive
    (date, date(2026, 1, 2)),
    (time, time(3, 4, 5, 6)),
    (timedelta, timedelta(seconds=1.5)),
    (timedelta, -timedelta(days=400, microseconds=1)),
    (UUID, UUID(int=7)),
    (Decimal, Decimal("0.10000000000000000000000001")),
    (bytes, bytes(range(256))),
    (list[bytes], [b"\xff", b"text"]),
    (dict[str, bytes], {"a": b"\x80"}),
    (float, 0.1),
    (int, 2**70),
    (Colour, Colour.RED),
    (Size, Size.SMALL),
    (Mood, Mood.GOOD),
    (dict[Colour, int], {Colour.RED: 1}),
    (dict[int, str], {1: "a", 2: "b"}),
    (dict[UUID, date], {UUID(int=1): date(2026, 1, 2)}),
    (set[int], {3, 1, 2}),
    (frozenset[str], frozenset({"b", "a"})),
    (tuple[int, str, Decimal], (1, "a", Decimal("2.5"))),
    (tuple[datetime, ...], (datetime(2026, 1, 2, tzinfo=UTC),)),
    (deque[int], deque([1, 2])),
    (PurePosixPath, PurePosixPath("/a/b")),
    (dict[str, Any], {"a": [1, None, {"b": 2.5}]}),
    (list[object], [1, "a"]),
]

NAMES = [f"{n}-{annotation}" for n, (annotation, _) in enumerate(EXAMPLES)]


@pytest.mark.parametrize(("annotation", "value"), EXAMPLES, ids=NAMES)
def test_a_typed_value_comes_back_equal_and_of_its_type(annotation: Any, value: object) -> None:
    serde = Serde(annotation)
    back = serde.decode(json.loads(json.dumps(serde.encode(value, "it"))), "it")
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(("annotation", "value"), EXAMPLES, ids=NAMES)
def test_a_schema_can_be_written_for_whatever_can_be_declared(annotation: Any, value: object) -> None:
    for mode in ("validation", "serialization"):
        assert isinstance(json.dumps(Serde(annotation).json_schema(mode)), str)


offsets = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
aware = st.datetimes(timezones=offsets)


@given(aware, st.timedeltas(), st.decimals(allow_nan=False, allow_infinity=False), st.binary(), st.floats())
def test_moments_durations_decimals_and_bytes_lose_nothing(
    moment: datetime, duration: timedelta, amount: Decimal, content: bytes, number: float
) -> None:
    declared = tuple[datetime, timedelta, Decimal, bytes]
    value = (moment, duration, amount, content)
    assert Serde(declared).decode(Serde(declared).encode(value, "it"), "it") == value
    if abs(number) < float("inf"):
        assert Serde(float).decode(Serde(float).encode(number, "it"), "it") == number


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


@given(json_values)
def test_the_order_of_keys_is_the_authors(value: JsonValue) -> None:
    assert json.dumps(Serde().encode(value, "it")) == json.dumps(value)
    assert json.dumps(Serde(dict[str, Any]).encode({"b": value, "a": value}, "it")) == json.dumps(
        {"b": value, "a": value}
    )


def test_without_an_annotation_a_value_is_written_by_its_own_type() -> None:
    basket = Basket(lines=[Line(item="a", price=Decimal("1.5"))], colour=Colour.RED)
    assert Serde().encode(basket, "it") == {
        "lines": [{"item": "a", "price": "1.5"}],
        "colour": "red",
        "note": None,
    }
    assert Serde().encode([Size.SMALL, Mood.GOOD, b"\xff", {"b", "a"}, Point(1), UUID(int=1)], "it") == [
        1,
        "good",
        "_w==",
        ["a", "b"],
        [1, 0.0],
        "00000000-0000-0000-0000-000000000001",
    ]


def test_plain_json_is_accepted_where_the_declared_type_can_be_made_from_it() -> None:
    assert Serde(Line).encode({"item": "a", "price": 2}, "it") == {"item": "a", "price": "2"}
    assert Serde(list[int]).encode((1, 2), "it") == [1, 2]


def test_sets_are_written_in_one_order_wherever_they_are() -> None:
    words = {"pear", "apple", "fig", "quince", "plum"}
    nested = {"a": [Box(1, frozenset(words))], "b": (words, {frozenset({"y", "x"}), frozenset({"a"})})}
    assert Serde().encode(nested, "it") == {
        "a": [{"inside": 1, "labels": sorted(words)}],
        "b": [sorted(words), [["a"], ["x", "y"]]],
    }
    assert Serde(Tags).encode(Tags(words), "it") == sorted(words)
    assert Serde(dict[Colour, list[Tags]]).encode({Colour.RED: [Tags(words)]}, "it") == {"red": [sorted(words)]}


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    serialization: int = 1


class Awkward(BaseModel):
    default: set[str]
    cls: float | None = None


def test_neither_undeclared_fields_nor_their_names_hide_what_needs_a_second_look() -> None:
    words = {"pear", "apple", "fig", "quince", "plum"}
    loose = Loose.model_validate({"more": words})
    assert Serde(Loose).encode(loose, "it") == {"serialization": 1, "more": sorted(words)}
    assert Serde(list[Loose]).encode([loose], "it") == [{"serialization": 1, "more": sorted(words)}]
    assert Serde(Awkward).encode(Awkward(default=words), "it") == {"default": sorted(words), "cls": None}


_IN_A_PROCESS = """
import json
from flowstrand.sdk.serde import Serde
words = {"pear", "apple", "fig", "quince", "plum", "grape", "peach"}
print(json.dumps([Serde(set[str]).encode(words, ""), Serde().encode(words, ""), Serde(list[object]).encode([words], "")]))
"""


def test_two_processes_write_the_same_json() -> None:
    texts = {
        subprocess.run(
            [sys.executable, "-c", _IN_A_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def test_a_secret_with_a_serializer_of_its_own_is_written() -> None:
    class Login(BaseModel):
        password: Annotated[SecretStr, PlainSerializer(lambda secret: secret.get_secret_value())]

    assert Serde(Login).encode(Login(password=SecretStr("x")), "it") == {"password": "x"}


def test_a_type_that_json_cannot_be_read_into_is_a_definition_error() -> None:
    class Opaque:
        pass

    with pytest.raises(InvalidDefinition, match="Opaque"):
        Serde(Opaque).check()
