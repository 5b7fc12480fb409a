"""Values of no declared type: JSON stays as it is, and what has a type of its own is written by that."""

from __future__ import annotations

import base64
import inspect
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError

from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.serde import typed
from flowstrand.sdk.serde.arrange import in_order, key_fault
from flowstrand.sdk.serde.fault import Fault, Steps, type_name
from flowstrand.sdk.serde.structure import children

UNWRITABLE = (PydanticSerializationError, ValidationError, ValueError, TypeError)
"""What pydantic raises for a value that it cannot write."""


def write(value: object, steps: Steps = ()) -> JsonValue:
    """`value` as JSON.

    Raises:
        Fault: part of it has no JSON form; the first such part.
        RecursionError: it contains itself, or is nested too deeply.
    """
    match value:
        case None | bool():
            return value
        case Enum():
            return write(value.value, steps)
        case str():
            return _text(str(value), steps)
        case int():
            return int(value)
        case float():
            return _number(float(value), steps)
        case bytes() | bytearray() | memoryview():
            return base64.urlsafe_b64encode(value).decode()
        case Mapping():
            return {_key(key, steps): write(part, (*steps, key)) for key, part in value.items()}
        case list() | tuple():
            return [write(part, (*steps, n)) for n, part in enumerate(value)]
        case AbstractSet():
            return in_order([write(part, steps) for part in value])
        case _:
            return _by_its_type(value, steps)


def fault_in(value: object, error: Exception, steps: Steps = ()) -> Fault:
    """Where in a typed `value` the part is that pydantic could not write; `error` says no more than why."""
    if isinstance(error, UnicodeDecodeError):
        return _undecodable(value, steps) or Fault(_reason(error), steps, culprit=value)
    for step, part in children(value):
        try:
            write(part, (*steps, step))
        except Fault as fault:
            return fault
    return Fault(_reason(error), steps, culprit=value)


def _by_its_type(value: object, steps: Steps) -> JsonValue:
    cls: Any = type(value)  # mypy has metaclasses in mind that are not hashable
    adapter = None if _is_code(value) else _adapter_of(cls)
    if adapter is None:
        raise Fault(f"{type_name(value)} has no JSON form; {_advice(value)}", steps, culprit=value)
    try:
        return typed.write(adapter, value)
    except Fault as fault:
        raise Fault(fault.reason, steps, culprit=value) from fault
    except UNWRITABLE as error:
        raise fault_in(value, error, steps) from error


@lru_cache(maxsize=512)
def _adapter_of(cls: Any) -> TypeAdapter[Any] | None:
    try:
        return typed.adapter_of(cls)
    except PydanticUserError:
        return None


def _key(key: object, steps: Steps) -> str:
    if not isinstance(key, str):
        raise key_fault(key, steps)
    return _text(str(key.value if isinstance(key, Enum) else key), steps)


def _number(number: float, steps: Steps) -> float:
    if not math.isfinite(number):
        raise Fault(f"JSON has no {number}; use None, or a string", steps, culprit=number)
    return number


def _text(text: str, steps: Steps) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Fault("the string holds half a surrogate pair, which no UTF-8 can", steps, culprit=text) from None
    return text


def _undecodable(value: object, steps: Steps) -> Fault | None:
    """The bytes that a pydantic model, which writes bytes as text, could not write."""
    if isinstance(value, bytes):
        try:
            value.decode()
        except UnicodeDecodeError:
            advice = 'ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")'
            return Fault(
                f"these bytes are no UTF-8 text; give the model model_config = {advice}", steps, culprit=value
            )
        return None
    found = (_undecodable(part, (*steps, step)) for step, part in children(value))
    return next((fault for fault in found if fault is not None), None)


def _is_code(value: object) -> bool:
    """Pydantic has schemas for classes and callables, none of which can be written."""
    is_definition = inspect.isroutine(value) or inspect.isclass(value) or inspect.ismodule(value)
    return is_definition or inspect.isawaitable(value) or inspect.isgenerator(value)


def _advice(value: object) -> str:
    if inspect.isawaitable(value):
        return "await it first, and pass its result"
    if isinstance(value, BaseException):
        return "pass its message, or what a handler needs to know of it"
    if _is_code(value):
        return "pass the data that it works on"
    return "use a pydantic model, a dataclass or plain JSON, or convert it first"


def _reason(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0]
