"""What others are told of a definition: JSON Schemas of its input and output, and a hash that changes with it."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable
from typing import Any, cast

from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.signature import OMITTED, Signature

NOTHING: JsonObject = {"type": "null"}
"""The schema of an input that is not taken."""


def input_schema(signature: Signature) -> JsonObject:
    """The JSON Schema (draft 2020-12) of what is accepted as input; `{}` if that is anything.

    An input with a default may also be null, which stands for the default.
    """
    if signature.input is None:
        return dict(NOTHING)
    schema = signature.input.json_schema("validation")
    if signature.default is OMITTED or not schema:
        return schema
    definitions = schema.pop("$defs", None)
    optional: JsonObject = {"anyOf": [schema, dict(NOTHING)]}
    if definitions is not None:
        optional["$defs"] = definitions
    return optional


def output_schema(signature: Signature) -> JsonObject:
    """The JSON Schema of what is recorded as output; `{}` if that may be anything."""
    return signature.output.json_schema("serialization")


def content_hash(code: Callable[..., Any], facts: JsonObject) -> str:
    """64 hexadecimal digits over `facts` and the source of `code`, where there is any to be read.

    Equal wherever the same source runs, whatever the process, machine or version of Python.
    """
    try:
        source = inspect.getsource(code)
    except (OSError, TypeError):
        source = ""
    text = json.dumps([facts, source], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def description(code: Callable[..., Any]) -> str | None:
    """The first line of the docstring; None if there is none."""
    lines = (inspect.getdoc(code) or "").splitlines() if code.__doc__ else []
    return lines[0] if lines else None


def without_nulls(fields: dict[str, Any]) -> JsonObject:
    """`fields` without those that are None."""
    return {name: cast(JsonValue, value) for name, value in fields.items() if value is not None}
