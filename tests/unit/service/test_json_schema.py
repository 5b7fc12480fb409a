"""JSON Schemas: what they find, where, in which words, and what cannot make them run away."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from flowstrand.errors import InvalidInput
from flowstrand.service import json_schema
from flowstrand.service.json_schema import MAX_DEPTH, MAX_FAULTS, faults, require_usable

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "amount": {"type": "integer", "minimum": 1},
        "currency": {"enum": ["EUR", "USD"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
    },
    "required": ["amount"],
    "additionalProperties": False,
    "$defs": {"Line": {"type": "object", "properties": {"a/b": {"type": "string"}}, "required": ["a/b"]}},
}


def found(schema: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    return [(str(fault["pointer"]), str(fault["message"])) for fault in faults(schema, value, "/input")]


def test_a_value_that_fits_has_no_faults() -> None:
    assert found(ORDER, {"amount": 5, "currency": "EUR", "lines": [{"a/b": "x"}]}) == []


def test_every_fault_is_told_with_a_pointer_and_without_the_value() -> None:
    value = {"amount": 0, "currency": "secret", "lines": [{"a/b": "x"}, {"a/b": 1}, {}], "more": "secret"}

    assert sorted(found(ORDER, value)) == [
        ("/input", "Additional properties are not allowed ('more' was unexpected)"),
        ("/input/amount", "does not satisfy minimum 1"),
        ("/input/currency", 'is none of ["EUR", "USD"]'),
        ("/input/lines/1/a~1b", "is not of type string"),
        ("/input/lines/2", "'a/b' is a required property"),
    ]


def test_of_a_choice_the_faults_of_the_nearest_branch_are_told() -> None:
    optional = {
        "anyOf": [{"$ref": "#/$defs/Order"}, {"type": "null"}],
        "$defs": {**ORDER["$defs"], "Order": ORDER},
    }

    assert sorted(found(optional, {"amount": "1", "lines": 3})) == [
        ("/input/amount", "is not of type integer"),
        ("/input/lines", "is not of type array"),
    ]
    assert found({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "x") == [
        ("/input", "fits none of the forms that it may have")
    ]


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": ["integer", "null"]}, "x", "is not of type integer or null"),
        ({"const": 3}, 4, "is not 3"),
        ({"not": {"type": "null"}}, None, "has a form that it may not have"),
        (
            {"oneOf": [{"type": "integer"}, {"minimum": 3}]},
            5,
            "does not fit exactly one of the forms that it may have",
        ),
        ({"pattern": "^a+$"}, "b", 'does not satisfy pattern "^a+$"'),
        ({"properties": {"a": False}}, {"a": 1}, "may not be there"),
        ({"uniqueItems": True}, [{"a": 1}, {"a": 1.0}], "does not satisfy uniqueItems true"),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, "does not satisfy maxLength 1"),
        ({"contains": {"type": "null"}}, [1], "does not satisfy contains"),
    ],
)
def test_each_keyword_has_its_words(schema: dict[str, Any], value: Any, message: str) -> None:
    assert [told for _, told in found(schema, value)] == [message]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"format": "date-time"}, "yesterday"),
        ({"pattern": "(?<=a)b"}, "ab"),
        ({"pattern": r"^\p{Lu}"}, "Ä"),
        ({"uniqueItems": True}, [1, True, "1", None, [1], {"a": 1}]),
        ({"uniqueItems": False}, [1, 1]),
        ({"type": "integer"}, 5.0),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}]}, [1, "x"]),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, {"type": "integer"}),
        ({"type": "nonsense"}, 5),
    ],
)
def test_what_is_allowed_is_not_refused(schema: dict[str, Any], value: Any) -> None:
    assert found(schema, value) == []


def test_a_pattern_that_could_take_for_ever_does_not() -> None:
    assert found({"pattern": "^(a+)+$"}, "a" * 100_000 + "b") == [("/input", 'does not satisfy pattern "^(a+)+$"')]


def test_not_more_faults_are_told_than_anyone_reads() -> None:
    assert len(found({"items": {"type": "null"}}, [1] * 10_000)) == MAX_FAULTS


def test_long_messages_are_cut() -> None:
    [(_, message)] = found({"enum": ["x" * 10_000]}, "y")

    assert len(message) < 1_000


def _doubling(levels: int) -> dict[str, Any]:
    definitions = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{levels}": {"type": "null"}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#"}, 1),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema", **_doubling(40)}, None),
        (_doubling(40), None),
        ({"items": {"$ref": "#"}, "type": "array"}, "deep"),
    ],
    ids=["a circle", "doubling under a named draft", "doubling", "a deep value"],
)
def test_what_would_take_too_long_is_refused(
    schema: dict[str, Any], value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_schema, "_MAX_STEPS", 2_000)
    if value == "deep":
        value = []
        for _ in range(900):
            value = [value]

    assert found(schema, value) == [("/input", "is too large, or nested too deeply, to be checked")]


@pytest.mark.parametrize(
    ("schema", "pointer", "message"),
    [
        ({"type": "nonsense"}, "/type", "not valid under any of the given schemas"),
        ({"properties": {"a": {"minimum": "1"}}}, "/properties/a/minimum", "is not of type 'number'"),
        ({"$schema": "https://example.com/mine"}, "/$schema", "unknown draft"),
        ({"$schema": 5}, "/$schema", "unknown draft"),
        ({"$ref": "https://example.com/other"}, "", "does not hold"),
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}}, "", "does not hold"),
        ({"$ref": "file:///etc/passwd"}, "", "does not hold"),
        ({"$schema": "http://[", "type": "null"}, "/$schema", "unknown draft"),
        ({"$id": "https://example.com/a", "$defs": {"a": {"$id": "http://["}}}, "", "cannot be read"),
        ({"$defs": {"a": {"$schema": "http://json-schema.org/draft-07/schema#"}}}, "", "within another"),
        ({"patternProperties": {"(": {}}}, "", "which is none"),
    ],
)
def test_what_is_no_schema_is_refused(
    schema: dict[str, Any], pointer: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", _no_network)

    with pytest.raises(InvalidInput) as refused:
        require_usable(schema, "/s")

    assert refused.value.code == "INVALID_SCHEMA"
    [detail] = refused.value.details
    assert detail["pointer"] == "/s" + pointer
    assert message in str(detail["message"])


def test_a_schema_may_be_as_deep_as_schemas_are_and_no_deeper() -> None:
    schema: dict[str, Any] = {}
    for _ in range((MAX_DEPTH - 1) // 2):
        schema = {"items": {"not": schema}}
    require_usable(schema, "")
    for _ in range(MAX_DEPTH):
        schema = {"not": schema}
    with pytest.raises(InvalidInput):
        require_usable(schema, "")


def test_references_by_id_and_anchor_are_within_the_schema() -> None:
    require_usable(
        {
            "$id": "https://example.com/order",
            "properties": {"a": {"$ref": "line"}, "b": {"$ref": "#total"}, "c": {"const": {"$ref": "nowhere"}}},
            "$defs": {"line": {"$id": "line", "type": "null"}, "total": {"$anchor": "total"}},
        },
        "",
    )


def _no_network(*_: object) -> socket.socket:
    raise AssertionError("a schema was fetched")
