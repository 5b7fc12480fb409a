"""Which types need a second look at each value, and which are right as pydantic writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter

_SCALARS = {
    "bool",
    "bytes",
    "date",
    "datetime",
    "decimal",
    "enum",
    "float",
    "int",
    "literal",
    "none",
    "str",
    "time",
}
_TIMES = {"timedelta", "uuid"}
_CONTAINERS = {"dict", "list", "tuple", "model", "model-fields", "model-field", "typed-dict", "typed-dict-field"}
_CLASSES = {"dataclass", "dataclass-args", "dataclass-field", "named-tuple", "definitions", "definition-ref"}
_CHOICES = {"default", "nullable", "tagged-union", "union"}
_PLAIN = _SCALARS | _TIMES | _CONTAINERS | _CLASSES | _CHOICES
_MAY_BE_NULL = {"nullable", "tagged-union", "union"}
_NOT_SCHEMAS = {
    "cls",
    "config",
    "metadata",
    "serialization",
    "expected",
    "members",
    "default",
    "ref",
    "schema_ref",
}

_known: WeakKeyDictionary[TypeAdapter[Any], bool] = WeakKeyDictionary()


def needs_care(adapter: TypeAdapter[Any]) -> bool:
    """Whether a value may hold a set, a secret, something undeclared, or a number that would be lost.

    Whatever is not known to be plain needs care: types come with serializers, and pydantic with new schemas.
    """
    if adapter not in _known:
        _known[adapter] = _is_delicate(adapter)
    return _known[adapter]


def _is_delicate(adapter: TypeAdapter[Any]) -> bool:
    types = set(_types_in(adapter.core_schema))
    return not types <= _PLAIN or ("float" in types and not types.isdisjoint(_MAY_BE_NULL))


def _types_in(schema: object) -> Iterator[str]:
    """The types of all schemas in one, and a word for each thing beside them that changes what is written."""
    if isinstance(schema, Mapping):
        type = schema.get("type")
        is_schema = isinstance(type, str)
        if isinstance(type, str):
            yield type
            yield from _extras_of(schema)
        for name, part in schema.items():  # else these are the fields of a model, whatever they are called
            if not (is_schema and name in _NOT_SCHEMAS):
                yield from _types_in(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from _types_in(part)


def _extras_of(schema: Mapping[str, Any]) -> Iterator[str]:
    if "serialization" in schema:
        yield "serializer"
    if "allow" in {schema.get("extra_behavior"), schema.get("config", {}).get("extra_fields_behavior")}:
        yield "undeclared fields"
