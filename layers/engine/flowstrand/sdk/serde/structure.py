"""The parts of a value that are parts of its JSON too."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from pydantic import RootModel


def children(value: object) -> Iterator[tuple[str | int, Any]]:
    """Each part with the key or index that it has in the JSON; nothing for what has no parts, or hides them."""
    match value:
        case RootModel():
            yield from children(value.root)
        case Mapping():
            yield from ((key if isinstance(key, str | int) else str(key), part) for key, part in value.items())
        case list() | tuple():
            yield from enumerate(value)
        case AbstractSet():
            yield from enumerate(value)
        case _:
            yield from _fields(value)


def _fields(value: object) -> Iterator[tuple[str, Any]]:
    """The fields of a model or dataclass, by the names that they are written under."""
    declared: Mapping[str, Any] = getattr(type(value), "__pydantic_fields__", {})
    if declared:
        for name, field in declared.items():
            if hasattr(value, name):
                yield field.serialization_alias or field.alias or name, getattr(value, name)
        yield from (getattr(value, "__pydantic_extra__", None) or {}).items()
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for member in dataclasses.fields(value):
            if hasattr(value, member.name):
                yield member.name, getattr(value, member.name)
