"""Values to JSON and back, by annotation: pydantic models, dataclasses, and whatever else pydantic can type.

Without an annotation a value is written by its own type, and JSON is read as it is.
"""

from __future__ import annotations

import inspect
import json
from functools import cached_property
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, ValidationError, to_jsonable_python

from flowstrand.errors import InvalidDefinition, NotSerializable
from flowstrand.jsonvalue import JsonValue

_UNTYPED = (Any, object, inspect.Parameter.empty)


class Serde:
    """The codec for one annotation.

    Attributes:
        annotation: the type, resolved; `Any` or nothing for plain JSON.
    """

    def __init__(self, annotation: Any = Any) -> None:
        self.annotation = annotation

    @cached_property
    def _adapter(self) -> TypeAdapter[Any] | None:
        if any(self.annotation is untyped for untyped in _UNTYPED):
            return None
        try:
            return TypeAdapter(self.annotation)
        except PydanticUserError as error:
            raise InvalidDefinition(
                f"{self} cannot be read from JSON; use a pydantic model, a dataclass or plain JSON types"
            ) from error

    def check(self) -> None:
        """Make sure that there is a codec at all.

        Raises:
            InvalidDefinition: the annotation is no type that JSON can be read into.
        """
        _ = self._adapter

    def encode(self, value: object, what: str) -> JsonValue:
        """`value` as plain JSON. A value of another type is accepted if the annotated type can be made from it.

        Args:
            what: names the value in the error, e.g. `"the input of task 'charge-card'"`.

        Raises:
            NotSerializable: it does not fit the annotation, or holds what JSON cannot (NaN, a lone surrogate).
        """
        try:
            return self._encoded(value)
        except (PydanticSerializationError, ValidationError, ValueError, TypeError, RecursionError) as error:
            raise NotSerializable(
                f"{what} cannot be written to the log as {self}: {_reason(error)} (it is {_brief(value)})"
            ) from error

    def decode(self, data: JsonValue, what: str) -> Any:
        """The inverse of `encode`.

        Raises:
            NotSerializable: `data` does not fit the annotation.
        """
        if self._adapter is None:
            return data
        try:
            return self._adapter.validate_json(_text(data))
        except (ValidationError, ValueError) as error:
            raise NotSerializable(f"{what} is not {self}: {_reason(error)}") from error

    def _encoded(self, value: object) -> JsonValue:
        if self._adapter is None:
            plain = cast(JsonValue, to_jsonable_python(value, inf_nan_mode="constants"))
            _text(plain)
            return plain
        try:
            return _written(self._adapter, value)
        except (PydanticSerializationError, ValidationError):
            return _written(self._adapter, self._adapter.validate_python(value))

    def __str__(self) -> str:
        if any(self.annotation is untyped for untyped in _UNTYPED):
            return "JSON"
        return self.annotation.__qualname__ if isinstance(self.annotation, type) else str(self.annotation)


def _written(adapter: TypeAdapter[Any], value: object) -> JsonValue:
    """Write and read back: pydantic writes some values, such as None for a model, that it will not read."""
    encoded = cast(JsonValue, adapter.dump_python(value, mode="json", by_alias=True, warnings="error"))
    adapter.validate_json(_text(encoded))
    return encoded


def _text(data: JsonValue) -> bytes:
    return json.dumps(data, allow_nan=False, ensure_ascii=False).encode()


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'value'}: {fault['msg']}"
            for fault in error.errors()
        )
    return str(error).splitlines()[0]


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
