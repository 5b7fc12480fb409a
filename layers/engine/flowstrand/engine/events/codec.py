"""Events as JSON: the stored form, with a schema version and upcasting, and the public form of their data.

Stored: `{"v": version, "type": …, "data": {…}, "refs": {field: {"sha256", "size"}}}`. References to the payload store
stand beside the data, never in it, so that no user value can be taken for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flowstrand.engine.events.event import EventData, data_class_of
from flowstrand.engine.events.vocabulary import EventType
from flowstrand.engine.schema import PayloadRef, from_json, payload_fields, to_json
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject

SCHEMA_VERSION = 1

Upcaster = Callable[[str, JsonObject], tuple[str, JsonObject]]
UPCASTERS: Mapping[int, Upcaster] = {}
"""From each older version, how its `(type, data)` reads in the next."""


def encode(data: EventData) -> JsonObject:
    """The stored form of one event's data."""
    refs: JsonObject = {}
    inline: dict[str, Any] = {}
    for attribute, key in payload_fields(type(data)):
        value = getattr(data, attribute)
        if isinstance(value, PayloadRef):
            refs[key] = {"sha256": value.sha256, "size": value.size}
            inline[attribute] = None
    body = to_json(replace(data, **inline) if inline else data)
    for key in refs:
        body.pop(key, None)
    encoded: JsonObject = {"v": SCHEMA_VERSION, "type": data.TYPE.value, "data": body}
    if refs:
        encoded["refs"] = refs
    return encoded


def decode(stored: Mapping[str, Any], upcasters: Mapping[int, Upcaster] = UPCASTERS) -> EventData:
    """The inverse of `encode`, for this and every older schema version.

    Raises:
        LogCorrupted: the version is newer than this code, or the data does not fit its type.
    """
    try:
        name, body = _upcast(stored["v"], stored["type"], stored["data"], upcasters)
        cls = data_class_of(EventType(name))
        data = from_json(cls, body)
        refs: dict[str, Any] = {
            attribute: PayloadRef(**stored["refs"][key])
            for attribute, key in payload_fields(cls)
            if key in stored.get("refs", ())
        }
    except (KeyError, ValueError, TypeError) as error:
        raise LogCorrupted(f"an event cannot be read: {type(error).__name__}: {error}") from error
    return replace(data, **refs) if refs else data


def public_data(data: EventData) -> JsonObject:
    """The `data` that clients see. Payloads must have been fetched.

    Raises:
        ValueError: a payload is still a reference.
    """
    for attribute, _ in payload_fields(type(data)):
        if isinstance(getattr(data, attribute), PayloadRef):
            raise ValueError(f"{data.TYPE} still holds a reference in {attribute}")
    return to_json(data)


def _upcast(
    version: int, name: str, body: JsonObject, upcasters: Mapping[int, Upcaster]
) -> tuple[str, JsonObject]:
    if version > SCHEMA_VERSION:
        raise ValueError(f"schema version {version} is newer than {SCHEMA_VERSION}")
    for step in range(version, SCHEMA_VERSION):
        name, body = upcasters[step](name, body)
    return name, body
