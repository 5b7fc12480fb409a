"""JSON Schemas, in words: what a value may be, and a table of an object's properties."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from docsite.reference.table import code, table
from flowstrand.jsonvalue import JsonObject, JsonValue

Schema = Mapping[str, JsonValue]

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "maxProperties": "at most {} of them",
    "pattern": "matches {}",
}
_IMPLIED = {"minLength": 0, "minItems": 0, "minimum": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Schemas:
    """Schemas by name, and the page where each is told of, as others link to it."""

    by_name: Mapping[str, JsonObject]
    page: str

    def words(self, schema: Schema) -> str:
        """What a value may be, as Markdown on one line."""
        match schema:
            case {"$ref": str(reference)}:
                name = reference.rpartition("/")[2]
                return f"[{name}]({self.page}#{name})"
            case {"const": constant}:
                return code(json.dumps(constant))
            case {"enum": list(values)}:
                return ", ".join(code(json.dumps(value)) for value in values)
            case {"anyOf": list(options)} | {"oneOf": list(options)}:
                return " or ".join(dict.fromkeys(self.words(option) for option in _objects(options)))
            case {"allOf": list(parts)}:
                return self.words(_objects(parts)[0])
            case {"type": "array", "items": dict(items)}:
                return f"array of {self.words(items)}"
            case {"type": "object", "additionalProperties": dict(values)}:
                return f"object of {self.words(values)}"
            case {"type": str(kind), "format": str(form)}:
                return f"{kind}, {form}"
            case {"type": str(kind)}:
                return kind
            case {"type": list(kinds)}:
                return " or ".join(map(str, kinds))
            case _:
                return "any JSON"

    def properties(self, schema: Schema) -> str:
        """A table of an object's properties; nothing where it has none."""
        rows = [
            (
                code(name) + ("" if name in _names(schema.get("required")) else " (optional)"),
                self.words(value),
                self.remarks(value),
            )
            for name, value in _items(schema.get("properties"))
        ]
        return table(("property", "value", ""), rows)

    def remarks(self, schema: Schema) -> str:
        """What else is said of a value: its description, its bounds, its default."""
        said = [str(schema["description"]).rstrip(".")] if schema.get("description") else []
        said += [bound for part in [schema, *_parts(schema)] for bound in _bounds(part)]
        if schema.get("default") is not None:
            said.append(f"{code(json.dumps(schema['default']))} by default")
        return "; ".join(said)


def _bounds(schema: Schema) -> Iterable[str]:
    for keyword, words in _BOUNDS.items():
        bound = schema.get(keyword)
        if keyword == "minLength" and bound == 1:
            yield "not empty"
        elif bound is not None and bound != _IMPLIED.get(keyword):
            yield words.format(code(str(bound)) if keyword == "pattern" else bound)


def _parts(schema: Schema) -> list[JsonObject]:
    match schema:
        case {"anyOf": list(options)} | {"oneOf": list(options)}:
            return _objects(options)
        case _:
            return []


def _objects(values: list[JsonValue]) -> list[JsonObject]:
    return [value for value in values if isinstance(value, dict)]


def _names(value: JsonValue | None) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _items(value: JsonValue | None) -> list[tuple[str, JsonObject]]:
    if not isinstance(value, dict):
        return []
    return [(name, each) for name, each in value.items() if isinstance(each, dict)]
