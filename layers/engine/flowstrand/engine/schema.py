"""Dataclasses to JSON and back, by their annotations: the one codec under events and checkpoints.

Field names become camelCase. `EpochMs` is an RFC 3339 UTC string with milliseconds in JSON and an integer here;
its field loses the suffix (`fire_at_ms` is `fireAt`). A `None` is left out, except in a `Payload` without a default, where
it is a value.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, NewType, TypeAlias, TypeVar, cast

from flowstrand.dataclass import dataclass
from flowstrand.jsonvalue import JsonObject, JsonValue

EpochMs = NewType("EpochMs", int)
"""Milliseconds since 1970-01-01 UTC."""

T = TypeVar("T")
_Coder: TypeAlias = Callable[[Any], Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_SCHEMAS: dict[type, tuple[_Field, ...]] = {}
_PAYLOAD_FIELDS: dict[type, tuple[tuple[str, str], ...]] = {}


@dataclass(frozen=True, slots=True)
class PayloadRef:
    """A payload kept in the payload store: its SHA-256 in hex and its size in bytes of JSON."""

    sha256: str
    size: int


Payload: TypeAlias = JsonValue | PayloadRef
"""A user's value: inline, or a reference to where it is stored."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    key: str
    is_payload: bool
    required: bool
    encode: _Coder
    decode: _Coder


def rfc3339(epoch_ms: int) -> str:
    """`1732352400123` as `2024-11-23T09:00:00.123Z`."""
    moment = _EPOCH + timedelta(milliseconds=epoch_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_ms(text: str) -> EpochMs:
    """The inverse of `rfc3339`; any offset is accepted.

    Raises:
        ValueError: `text` is not an RFC 3339 time, has no offset, or is outside of the years 1 to 9999 in UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs its offset from UTC, or a Z")
    try:
        return EpochMs((moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1))
    except OverflowError:
        raise ValueError("a time in UTC is of the years 1 to 9999") from None


def to_json(value: Any) -> JsonObject:
    """A dataclass as a JSON object. A `PayloadRef` may not occur: see `payload_fields`."""
    encoded: JsonObject = {}
    for field in schema_of(type(value)):
        raw = getattr(value, field.name)
        if raw is not None or (field.is_payload and field.required):
            encoded[field.key] = field.encode(raw)
    return encoded


def from_json(cls: type[T], data: Mapping[str, Any]) -> T:
    """The inverse of `to_json`. Unknown keys are ignored, so that newer writers can be read.

    Raises:
        KeyError, ValueError, TypeError: `data` does not fit `cls`.
    """
    arguments: dict[str, Any] = {}
    for field in schema_of(cls):
        if field.key in data:
            arguments[field.name] = field.decode(data[field.key])
        elif field.required:
            if not field.is_payload:
                raise KeyError(f"{cls.__name__}.{field.key}")
            arguments[field.name] = None
    return cls(**arguments)


def payload_fields(cls: type) -> tuple[tuple[str, str], ...]:
    """`(attribute, JSON key)` of every field of `cls` that holds a user's value; worked out once per class."""
    known = _PAYLOAD_FIELDS.get(cls)
    if known is None:
        found = tuple((field.name, field.key) for field in schema_of(cls) if field.is_payload)
        known = _PAYLOAD_FIELDS[cls] = found
    return known


def schema_of(cls: type) -> tuple[_Field, ...]:
    """How each field of a dataclass is written; worked out once per class."""
    known = _SCHEMAS.get(cls)
    if known is None:
        hints = typing.get_type_hints(cls, include_extras=True)
        known = _SCHEMAS[cls] = tuple(_field(f, hints[f.name]) for f in fields(cast(Any, cls)))
    return known


def _field(field: Any, hint: Any) -> _Field:
    payload = bool(field.metadata.get("payload"))
    encode, decode = (_same, _same) if payload else _coders(hint)
    required = field.default is MISSING and field.default_factory is MISSING
    return _Field(field.name, _json_key(field.name, hint), payload, required, encode, decode)


def _json_key(name: str, hint: Any) -> str:
    if _without_none(hint) is EpochMs:
        name = name.removesuffix("_ms")
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        members = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        return members[0] if len(members) == 1 else hint
    return hint


@cache
def _coders(hint: Any) -> tuple[_Coder, _Coder]:
    inner = _without_none(hint)
    if inner is not hint:
        encode, decode = _coders(inner)
        return _optional(encode), _optional(decode)
    if hint is EpochMs:
        return rfc3339, epoch_ms
    if isinstance(hint, type) and issubclass(hint, Enum):
        return (lambda member: member.value), hint
    if isinstance(hint, type) and is_dataclass(hint):
        return to_json, lambda data: from_json(hint, data)
    return _container_coders(hint)


def _container_coders(hint: Any) -> tuple[_Coder, _Coder]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (tuple, frozenset):
        encode, decode = _coders(args[0])
        order = sorted if origin is frozenset else list
        return (
            lambda items: [encode(item) for item in order(items)],
            lambda items: origin(decode(item) for item in items),
        )
    if origin is dict and args[0] is not str:
        encode, decode = _coders(args[1])
        key = args[0]
        return (
            lambda items: {str(k): encode(v) for k, v in items.items()},
            lambda items: {key(k): decode(v) for k, v in items.items()},
        )
    return _same, _same


def _same(value: Any) -> Any:
    return value


def _optional(coder: _Coder) -> _Coder:
    return lambda value: None if value is None else coder(value)
