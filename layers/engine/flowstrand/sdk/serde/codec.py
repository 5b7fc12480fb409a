"""`Serde`: the codec of one annotation.

A declared type is written and read by pydantic: models, dataclasses, TypedDicts, NamedTuples, and the types of the
standard library. Without one, a value is written by its own type, and JSON is read as it is.
"""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from flowstrand.errors import InvalidDefinition, NotSerializable
from flowstrand.json_depth import MAX_DEPTH, is_deeper, may_be_deeper
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.sdk.serde import plain, typed
from flowstrand.sdk.serde.fault import Fault

_UNTYPED = (Any, object, inspect.Parameter.empty)


class _Quiet(GenerateJsonSchema):
    """A default that has no JSON form is left out of the schema, which is no reason to warn whoever starts a worker."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - declared so above


class Serde:
    """The codec for one annotation.

    Attributes:
        annotation: the type, resolved; `Any` or nothing for plain JSON.
    """

    def __init__(self, annotation: Any = Any) -> None:
        self.annotation = annotation

    @property
    def is_untyped(self) -> bool:
        """Whether values are plain JSON."""
        return any(self.annotation is untyped for untyped in _UNTYPED)

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
            written = plain.write(value) if self._adapter is None else self._typed(self._adapter, value)
            return _storable(written)
        except Fault as fault:
            raise self._refused(what, value, fault) from fault.__cause__
        except RecursionError as error:
            endless = Fault("it contains itself, or is nested too deeply", culprit=value)
            raise self._refused(what, value, endless) from error

    def decode(self, data: JsonValue, what: str) -> Any:
        """The inverse of `encode`.

        Raises:
            NotSerializable: `data` does not fit the annotation.
        """
        if self._adapter is None:
            return data
        try:
            return self._adapter.validate_json(typed.text_of(data))
        except ValidationError as error:
            fault = Fault.of_validation(error, data)
            raise NotSerializable(
                f"{what} is not {self}: {fault.reason}", path=fault.path, python_type=fault.culprit
            ) from error
        except ValueError as error:
            raise NotSerializable(f"{what} is not JSON: {error}") from error

    def json_schema(self, mode: Literal["validation", "serialization"]) -> JsonObject:
        """The JSON Schema of what is accepted (`validation`) or written (`serialization`); `{}` where anything may be."""
        if self._adapter is None:
            return {}
        try:
            return self._adapter.json_schema(mode=mode, by_alias=True, schema_generator=_Quiet)
        except PydanticInvalidForJsonSchema:
            return {}

    @cached_property
    def _adapter(self) -> TypeAdapter[Any] | None:
        if self.is_untyped:
            return None
        try:
            return typed.adapter_of(self.annotation)
        except PydanticUserError as error:
            raise InvalidDefinition(
                f"{self} cannot be read from JSON; use a pydantic model, a dataclass or plain JSON types "
                f"({error.message.splitlines()[0]})"
            ) from error

    def _typed(self, adapter: TypeAdapter[Any], value: object) -> JsonValue:
        """As it is, or else as what the type makes of it."""
        try:
            return typed.write(adapter, value)
        except (Fault, *plain.UNWRITABLE):
            pass
        try:
            return typed.write(adapter, adapter.validate_python(value))
        except ValidationError as error:
            raise Fault.of_validation(error, value) from error
        except plain.UNWRITABLE as error:
            raise plain.fault_in(value, error) from error

    def _refused(self, what: str, value: object, fault: Fault) -> NotSerializable:
        return NotSerializable(
            f"{what} cannot be written to the log as {self}: {fault.reason} (it is {_brief(value)})",
            path=fault.path,
            python_type=fault.culprit,
        )

    def __str__(self) -> str:
        if self.is_untyped:
            return "JSON"
        return self.annotation.__qualname__ if isinstance(self.annotation, type) else str(self.annotation)


def _storable(written: JsonValue) -> JsonValue:
    """`written`, if it can be stored; pydantic lets some through that JSON has no form for."""
    try:
        text = typed.text_of(written)
    except ValueError as error:
        plain.write(written)  # knows where
        raise Fault(str(error), culprit=written) from error
    if may_be_deeper(text, MAX_DEPTH) and is_deeper(written, MAX_DEPTH):
        raise Fault(f"it is nested more than {MAX_DEPTH} levels deep", culprit=written)
    return written


def _brief(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - the author's code, and we are about to say what is wrong with the value anyway
        text = f"a {type(value).__qualname__}"
    return text if len(text) <= 100 else f"{text[:100]}…"
