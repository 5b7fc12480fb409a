"""Values of a declared type, through pydantic."""

from __future__ import annotations

import json
from typing import Any, NewType, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.serde.arrange import arranged, require_same_keys
from flowstrand.sdk.serde.care import needs_care
from flowstrand.sdk.serde.fault import Fault

_CONFIG = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
"""Bytes need not be text. It reaches into containers, dataclasses and TypedDicts; a pydantic model has its own."""


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """Pydantic's view of a type.

    Raises:
        PydanticUserError: it has none.
    """
    try:
        return TypeAdapter(annotation, config=_CONFIG)
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
    # A model, dataclass or TypedDict takes the configuration of what contains it, if any, but none directly.
    contained: Any = NewType("contained", annotation)  # type: ignore[misc,valid-newtype]  # no checker can know it
    return TypeAdapter(contained, config=_CONFIG)


def write(adapter: TypeAdapter[Any], value: object) -> JsonValue:
    """`value` as JSON that reads back: pydantic writes some values, such as None for a model, that it will not read.

    Raises:
        Fault: it would not read back, or not with the same keys.
        PydanticSerializationError, ValueError, TypeError, RecursionError: it cannot be written.
    """
    dumped = cast(JsonValue, adapter.dump_python(value, mode="json", by_alias=True, warnings="error"))
    delicate = needs_care(adapter)
    written = arranged(value, dumped) if delicate else dumped
    try:
        back = adapter.validate_json(text_of(written))
    except ValidationError as error:
        fault = Fault.of_validation(error, written)
        fault.reason = f"it would be written as JSON that does not read back: {fault.reason}"
        raise fault from error
    if delicate:
        require_same_keys(value, back)
    return written


def text_of(written: JsonValue) -> bytes:
    """JSON as it is stored.

    Raises:
        ValueError: it holds a number or a string that JSON has no form for.
    """
    return json.dumps(written, allow_nan=False, ensure_ascii=False).encode()
