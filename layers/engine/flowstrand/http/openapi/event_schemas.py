"""JSON Schemas of events, from the dataclasses and by the rules of `engine.schema`, which writes and reads them."""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, TypeAlias

from flowstrand.engine.events import EventData, EventType, data_class_of
from flowstrand.engine.schema import EpochMs, schema_of
from flowstrand.http.openapi.wording import in_json_names
from flowstrand.jsonvalue import JsonObject, JsonValue

MOMENT: JsonObject = {"type": "string", "format": "date-time"}
_PLAIN: dict[Any, JsonObject] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
}
Schemas: TypeAlias = dict[str, JsonObject]


def components() -> Schemas:
    """`Event`, one schema for each type of event, and those that they refer to."""
    found: Schemas = {}
    for event_type in EventType:
        found[_name(event_type)] = _event(event_type, found)
    names = {event_type.value: f"#/components/schemas/{_name(event_type)}" for event_type in EventType}
    found["Event"] = {
        "description": "One fact of one execution.",
        "oneOf": [{"$ref": reference} for reference in names.values()],
        "discriminator": {"propertyName": "type", "mapping": {**names}},
    }
    return found


def _name(event_type: EventType) -> str:
    """`TaskFailedEvent` of `TASK_FAILED`."""
    return "".join(word.capitalize() for word in event_type.value.split("_")) + "Event"


def _event(event_type: EventType, found: Schemas) -> JsonObject:
    cls = data_class_of(event_type)
    return {
        "type": "object",
        "description": _described(cls),
        "properties": {
            "sequence": {"type": "integer", "minimum": 1},
            "type": {"type": "string", "const": event_type.value},
            "timestamp": MOMENT,
            "data": _object(cls, found),
        },
        "required": ["sequence", "type", "timestamp", "data"],
    }


def _object(cls: type[EventData | Any], found: Schemas) -> JsonObject:
    hints = typing.get_type_hints(cls, include_extras=True)
    keys = {field.name: field for field in schema_of(cls)}
    properties: JsonObject = {}
    required: list[JsonValue] = []
    for field in fields(cls):
        key, is_payload = keys[field.name].key, keys[field.name].is_payload
        properties[key] = {} if is_payload else _schema(hints[field.name], found)
        if field.default is MISSING and field.default_factory is MISSING:
            required.append(key)
    return {"type": "object", "properties": properties, "required": required}


def _schema(hint: Any, found: Schemas) -> JsonObject:
    """What `engine.schema` writes for a value of this type; None is left out by it, so null is nowhere."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        present = [one for one in arguments if one is not type(None)]
        if len(present) == 1:
            return _schema(present[0], found)
        raise TypeError(f"no schema for {hint}")
    if hint is EpochMs:
        return MOMENT
    if origin in (tuple, frozenset):
        return {"type": "array", "items": _schema(arguments[0], found)}
    if origin is dict:
        return {"type": "object"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [member.value for member in hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        return _reference(hint, found)
    return _PLAIN[hint]


def _reference(cls: type[Any], found: Schemas) -> JsonObject:
    if cls.__name__ not in found:
        found[cls.__name__] = {**_object(cls, found), "description": _described(cls)}
    return {"$ref": f"#/components/schemas/{cls.__name__}"}


def _described(cls: type[Any]) -> str:
    """The docstring, up to where it speaks of Python."""
    return in_json_names((cls.__doc__ or "").partition("\n\n    Attributes:")[0])
