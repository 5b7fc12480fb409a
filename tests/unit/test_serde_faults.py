"""What cannot be written or read is refused where it is handed over, with its place, its type and what to do."""

from __future__ import annotations

import pickle
import threading
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr

from flowstrand import NotSerializable
from flowstrand.json_depth import MAX_DEPTH
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.serde import Serde


class _Opaque:
    """Has no JSON form, and always the same `repr`: an address in a test's name would differ from process to process."""

    def __repr__(self) -> str:
        return "opaque"


class Line(BaseModel):
    item: str
    price: Decimal


class Order(BaseModel):
    lines: list[Line]
    extra: dict[str, Any] = Field(default_factory=dict)


class Blob(BaseModel):
    content: bytes


class Login(BaseModel):
    password: SecretStr


class Measured(BaseModel):
    degrees: float | None = None


class Lopsided(BaseModel):
    order_id: str = Field(validation_alias="in", serialization_alias="out")


@dataclass
class Node:
    value: Any
    next: Node | None = None


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def refused(annotation: Any, value: object) -> NotSerializable:
    with pytest.raises(NotSerializable) as caught:
        Serde(annotation).encode(value, "the input of task 'charge'")
    assert str(caught.value).startswith("the input of task 'charge' cannot be written to the log as ")
    assert caught.value.code == "NOT_SERIALIZABLE"
    return caught.value


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Line, None),
        (Line, {"item": "a"}),
        (Line, Node(1)),
        (int, "many"),
        (type(None), 3),
        (
            Order,
            Order.model_construct(lines=["not a line"]),  # type: ignore[list-item]  # on purpose
        ),
        (float, float("nan")),
        (Decimal, Decimal("NaN")),
        (Any, float("inf")),
        (Any, _Opaque()),
        (Any, "\ud800"),
        (str, "\ud800"),
    ],
    ids=repr,
)
def test_what_does_not_fit_is_refused_with_its_name_and_value(annotation: Any, value: object) -> None:
    assert repr(value)[:40] in str(refused(annotation, value))


@pytest.mark.parametrize(
    ("annotation", "value", "path", "culprit"),
    [
        (Order, {"lines": [{"item": "a"}]}, "/lines/0/price", "dict"),
        (Order, {"lines": [{"item": "a", "price": "much"}]}, "/lines/0/price", "str"),
        (Order, Order(lines=[], extra={"a": [0, _Opaque()]}), "/extra/a/1", f"{__name__}._Opaque"),
        (Order, Order(lines=[], extra={"a": float("nan")}), "/extra/a", "float"),
        (dict[str, float], {"a": 1.0, "b/c": float("-inf")}, "/b~1c", "float"),
        (int | list[Line], [{"item": 3, "price": 1}], "/0/item", "int"),
        (Node, Node(1, Node(_Opaque())), "/next/value", f"{__name__}._Opaque"),
        (Any, {"a": [1, {"b": _Opaque()}]}, "/a/1/b", f"{__name__}._Opaque"),
        (Any, [Node(1), Node(threading.Lock())], "/1/value", "_thread.lock"),
        (Any, {"a": {1: "b"}}, "/a", "int"),
        (dict[str, Any], {"a": {"b": {1: "c"}}}, "/a/b", "int"),
        (Order, Order(lines=[], extra={"a": [{None: 1}]}), "/extra/a/0", "NoneType"),
        (list[Node], [Node({(1, 2): 3})], "/0/value", "tuple"),
        (Login | None, Login(password=SecretStr("x")), "/password", "pydantic.types.SecretStr"),
        (Measured, Measured(degrees=float("nan")), "/degrees", "float"),
        (list[Measured], [Measured(), Measured(degrees=float("inf"))], "/1/degrees", "float"),
        (Any, ["\ud800"], "/0", "str"),
        (list[str], ["a", "\ud800"], "/1", "str"),
        (Any, [float("nan")], "/0", "float"),
        (Any, [Line.model_construct(item="a")], "/0", f"{__name__}.Line"),  # type: ignore[call-arg]  # on purpose
        (list[Blob], [Blob(content=b"ok"), Blob(content=b"\xff")], "/1/content", "bytes"),
        (Any, Blob(content=b"\xff"), "/content", "bytes"),
        (Login, Login(password=SecretStr("x")), "/password", "pydantic.types.SecretStr"),
        (Any, _Opaque(), "", f"{__name__}._Opaque"),
    ],
)
def test_the_error_points_to_the_part_that_is_at_fault_and_names_its_type(
    annotation: Any, value: object, path: str, culprit: str
) -> None:
    error = refused(annotation, value)
    assert (error.path, error.python_type) == (path, culprit)
    assert path in str(error)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (lambda: 1, "pass the data that it works on"),
        (Line, "pass the data that it works on"),
        (ValueError("x"), "pass its message"),
        (_Opaque(), "use a pydantic model, a dataclass or plain JSON"),
        (float("nan"), "use None"),
        ({1: 2}, r"declare a type such as dict\[int, str\]"),
        (Blob(content=b"\xff"), "ser_json_bytes"),
        (Login(password=SecretStr("x")), "give its field a serializer"),
    ],
    ids=["function", "class", "exception", "object", "nan", "key", "bytes", "secret"],
)
def test_the_error_says_what_to_do(value: object, advice: str) -> None:
    with pytest.raises(NotSerializable, match=advice):
        Serde().encode({"a": value}, "it")


def test_what_was_not_awaited_is_named_as_such() -> None:
    async def forgotten() -> None: ...

    coroutine = forgotten()
    with pytest.raises(NotSerializable, match="await it first"):
        Serde().encode([coroutine], "it")
    coroutine.close()


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    node = Node(1)
    node.next = node
    for annotation, value in ((Any, endless), (list[Any], endless), (Node, node), (Any, node)):
        with pytest.raises(NotSerializable):
            Serde(annotation).encode(value, "it")


def test_what_would_not_read_back_is_not_written() -> None:
    with pytest.raises(NotSerializable, match="does not read back: /in: Field required"):
        Serde(Lopsided).encode(Lopsided.model_validate({"in": "a"}), "it")


def test_a_value_that_cannot_even_be_shown_is_refused_all_the_same() -> None:
    with pytest.raises(NotSerializable, match="a Unprintable"):
        Serde().encode(Unprintable(), "it")


@pytest.mark.parametrize(
    ("annotation", "data", "path"),
    [
        (Line, {"item": "a"}, "/price"),
        (Order, {"lines": [{"item": "a", "price": 1}, {"item": None, "price": 1}]}, "/lines/1/item"),
        (dict[int, Line], {"3": {"item": "a", "price": []}}, "/3/price"),
        (datetime, "tomorrow", ""),
        (tuple[int, int], [1, "x"], "/1"),
    ],
)
def test_recorded_data_that_no_longer_fits_is_refused_with_the_place_in_it(
    annotation: Any, data: JsonValue, path: str
) -> None:
    with pytest.raises(NotSerializable, match=rf"the output of task 'price' is not .*{path}") as caught:
        Serde(annotation).decode(data, "the output of task 'price'")
    assert caught.value.path == path


def test_many_faults_are_told_in_few_words() -> None:
    with pytest.raises(NotSerializable, match=r"/4: .*; and 95 more"):
        Serde(list[int]).decode(["x"] * 100, "it")


def test_the_error_survives_a_process_boundary() -> None:
    error = refused(Any, {"a": _Opaque()})
    back = pickle.loads(pickle.dumps(error))
    assert (str(back), back.path, back.python_type) == (str(error), "/a", f"{__name__}._Opaque")


@pytest.mark.parametrize("annotation", [Any, list[Any]], ids=str)
def test_a_value_is_written_as_deep_as_every_answer_can_show_it_and_no_deeper(annotation: Any) -> None:
    deepest: list[Any] = []
    for _ in range(MAX_DEPTH - 1):
        deepest = [deepest, 1]
    assert Serde(annotation).encode(deepest, "it") == deepest
    with pytest.raises(NotSerializable, match="nested more than 190 levels deep"):
        Serde(annotation).encode([deepest], "it")


@pytest.mark.parametrize("annotation", [Any, list[Any]], ids=str)
def test_a_deep_value_is_refused_rather_than_crashing(annotation: Any) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(NotSerializable):
        Serde(annotation).encode(deep, "it")
