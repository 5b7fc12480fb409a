"""JSON Schemas of the bodies of requests and responses, from the very models that read and write them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from flowstrand.dataclass import dataclass
from flowstrand.http.body import RequestBody
from flowstrand.http.openapi.wording import in_json_names
from flowstrand.http.response_body import ResponseBody
from flowstrand.jsonvalue import JsonObject

AnyBody: TypeAlias = type[RequestBody] | type[ResponseBody]

_REFERENCE = "#/components/schemas/{model}"


@dataclass(frozen=True, slots=True)
class ModelSchemas:
    """Every schema by name, and the one of each model."""

    components: dict[str, JsonObject]
    of: dict[AnyBody, JsonObject]


def model_schemas(models: Collection[AnyBody]) -> ModelSchemas:
    """The schemas of `models` and of all that they hold."""
    inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, _mode(model)) for model in models]
    references, document = models_json_schema(inputs, ref_template=_REFERENCE, schema_generator=_Generator)
    components: dict[str, JsonObject] = document.get("$defs", {})
    return ModelSchemas(
        components={name: _tidied(schema) for name, schema in components.items()},
        of={model: references[model, _mode(model)] for model in models},
    )


def _mode(model: AnyBody) -> JsonSchemaMode:
    return "validation" if issubclass(model, RequestBody) else "serialization"


def _tidied(schema: JsonObject) -> JsonObject:
    """Docstrings in the document's words."""
    text = schema.get("description")
    return {**schema, "description": in_json_names(text)} if isinstance(text, str) else schema


class _Generator(GenerateJsonSchema):
    """Titles say nothing that names do not. In responses, an optional field is absent rather than null."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if self.mode == "validation":
            return super().default_schema(schema)
        inner: Any = schema["schema"]
        return self.generate_inner(inner["schema"] if inner["type"] == "nullable" else inner)
