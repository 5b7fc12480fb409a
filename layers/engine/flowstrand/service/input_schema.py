"""An input against the schema that is registered for its workflow or task, before anything is made of it."""

from __future__ import annotations

from flowstrand.engine.payload_reference import is_reference
from flowstrand.errors import UnprocessableInput
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.service.payloads import is_encoded


def require_fitting(schema: JsonObject | None, value: JsonValue) -> None:
    """Refuse an input that does not fit. What a client has encoded, or uploaded, is for whoever does the work to judge.

    Raises:
        UnprocessableInput: with a detail for each fault; pointers begin with `/input`.
    """
    if (
        not schema or is_encoded(value) or is_reference(value)
    ):  # without a schema, the library that reads them is not even imported
        return
    from flowstrand.service import json_schema

    faults = json_schema.faults(schema, value, "/input")
    if faults:
        raise UnprocessableInput("the input does not fit the schema of its definition", details=faults)
