"""Parameters of paths, queries and headers, as OpenAPI writes them."""

from __future__ import annotations

import re
from typing import Any

from flowstrand.engine.names import ID_PATTERN, NAME_PATTERN, SCHEDULE_PATTERN
from flowstrand.engine.payload_reference import ID_PATTERN as ID_OF_PAYLOADS
from flowstrand.http.query import Query
from flowstrand.jsonvalue import JsonObject

_ID: JsonObject = {"type": "string", "pattern": ID_PATTERN}
_PROMISE: JsonObject = {"type": "string", "minLength": 1, "maxLength": 512}

IN_PATHS: dict[str, tuple[str, JsonObject]] = {
    "org": ("The org that the key belongs to.", {"type": "string", "pattern": NAME_PATTERN}),
    "executionId": ("The id of an execution.", _ID),
    "taskId": ("The id of a task.", _ID),
    "payloadId": ("The id of an uploaded payload.", {"type": "string", "pattern": ID_OF_PAYLOADS}),
    "promiseId": ("The id of a promise, or `key:` and the key that it was given.", _PROMISE),
    "scheduleId": ("The id of a schedule.", {"type": "string", "pattern": SCHEDULE_PATTERN}),
    "workerId": ("The id that a worker was registered under.", {"type": "string", "pattern": NAME_PATTERN}),
    "name": ("The name of a channel.", {"type": "string", "pattern": NAME_PATTERN}),
    "queue": ("The name of a queue.", {"type": "string", "pattern": NAME_PATTERN}),
}
"""By name, what a parameter of a path is and what it may look like."""


def of_path(path: str) -> list[JsonObject]:
    """References to the parameters that `path` names, in its order.

    Raises:
        KeyError: one of them is not known here.
    """
    names = re.findall(r"\{(\w+)\}", path)
    return [{"$ref": f"#/components/parameters/{name}"} for name in names if IN_PATHS[name]]


def components() -> JsonObject:
    """Every parameter of a path, to refer to."""
    return {
        name: {"name": name, "in": "path", "required": True, "description": text, "schema": schema}
        for name, (text, schema) in IN_PATHS.items()
    }


def of_model(model: type[Query], place: str) -> list[JsonObject]:
    """The fields of a model, each as a parameter; `place` is `query` or `header`."""
    schema = model.model_json_schema(by_alias=True)
    return [_parameter(name, place, _inlined(field, schema)) for name, field in schema["properties"].items()]


def can_be_wrong(model: type[Query]) -> bool:
    """Whether there is a parameter that does not take just any text."""
    return any(parameter["schema"] not in ({"type": "string"}, {}) for parameter in of_model(model, "query"))


def _parameter(name: str, place: str, schema: dict[str, Any]) -> JsonObject:
    """Absent is how nothing is said in a query, so null is no value; a list is one value with commas."""
    schema.pop("title", None)
    text = str(schema.pop("description", ""))
    present = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(present) == 1:
        schema = {**present[0], **{key: value for key, value in schema.items() if key != "anyOf"}}
    if schema.get("default", ...) in (None, "", []):
        del schema["default"]
    parameter: JsonObject = {"name": name, "in": place, "required": False, "description": text, "schema": schema}
    if schema.get("type") in {"array", "object"}:  # one value with commas; a parameter for each property
        parameter |= {"style": "form", "explode": schema["type"] == "object"}
    return parameter


def _inlined(value: Any, document: dict[str, Any]) -> Any:
    """A schema without references: parameters hold small ones."""
    match value:
        case {"$ref": str(reference), **others}:
            target = document["$defs"][reference.rpartition("/")[2]]
            kept = {key: item for key, item in target.items() if key not in {"title", "description"}}
            return {**kept, **others}
        case dict():
            return {key: _inlined(item, document) for key, item in value.items()}
        case list():
            return [_inlined(item, document) for item in value]
        case _:
            return value
