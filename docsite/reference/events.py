"""Every type of event: what it says happened, and what its data holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from docsite.page import Page
from docsite.reference.docstrings import Told, of_class
from docsite.reference.schema import Schema, Schemas
from docsite.reference.table import code, table
from flowstrand.engine.events import EventType, Family, data_class_of
from flowstrand.engine.schema import schema_of
from flowstrand.jsonvalue import JsonObject
from flowstrand.views.public_name import public_name

_INTRODUCTION = """# Events

What a log consists of. Every event has a `sequence`, 1, 2, 3, … without a gap, a `type`, a `timestamp`, and `data`, whose fields are
listed here. A field that is not there has no value: nothing is `null`. Filters of streams take a type (`TASK_FAILED`), its public name
(`task.failed`, as [CloudEvents](../following.md) have it), or a whole family (`task.*`).

"""


def event_pages(root: Path) -> Iterator[Page]:
    document = json.loads((root / "docs" / "openapi.json").read_text(encoding="utf-8"))
    schemas = Schemas(by_name=document["components"]["schemas"], page="http/schemas.md")
    text = _INTRODUCTION + _overview()
    for family in Family:
        text += f"## {family.value.capitalize()}\n\n"
        text += "".join(_event(type, schemas) for type in EventType if family == data_class_of(type).FAMILY)
    yield Page(place=PurePosixPath("reference/events.md"), text=text)


def _overview() -> str:
    rows = [
        (
            f"[{code(type.value)}](#{type.value})",
            code(public_name(type)),
            _summary(data_class_of(type)),
        )
        for type in EventType
    ]
    return table(("type", "public name", ""), rows)


def _event(type: EventType, schemas: Schemas) -> str:
    cls = data_class_of(type)
    told = of_class(cls)
    return f"### {code(type.value)} {{#{type.value}}}\n\n{_in_json(told.text, cls)}\n\n" + schemas.properties(
        _with_descriptions(_data_of(type, schemas), cls, told)
    )


def _data_of(type: EventType, schemas: Schemas) -> Schema:
    for schema in schemas.by_name.values():
        match schema:
            case {"properties": {"type": {"const": str(name)}, "data": dict(data)}} if name == type.value:
                return data
            case _:
                pass
    raise LookupError(f"the API's description has no {type.value}")


def _with_descriptions(data: Schema, cls: type, told: Told) -> JsonObject:
    properties = data["properties"]
    assert isinstance(properties, dict)
    described: JsonObject = {}
    for field in schema_of(cls):
        schema = properties[field.key]
        assert isinstance(schema, dict)
        said = _in_json(told.fields.get(field.name, ""), cls)
        described[field.key] = {**schema, "description": said} if said else schema
    return {**data, "properties": described}


def _summary(cls: type) -> str:
    """The first sentence of what is said of the event."""
    line = " ".join(of_class(cls).text.split("\n\n", maxsplit=1)[0].split())
    return _in_json(line.split(". ", maxsplit=1)[0].rstrip("."), cls)


def _in_json(text: str, cls: type) -> str:
    """The text, which names fields as Python does, with the names that they have in JSON."""
    for field in schema_of(cls):
        text = text.replace(f"`{field.name}`", f"`{field.key}`")
    return text
