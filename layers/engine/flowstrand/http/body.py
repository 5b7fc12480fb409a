"""Request bodies: bytes to a validated model, or a refusal that says what is wrong and repeats no value."""

from __future__ import annotations

import base64
import json
import math
import re
from functools import cache
from typing import Any, ClassVar, TypeVar, get_args, get_origin

from aws_lambda_powertools.event_handler.request import Request
from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from flowstrand.errors import InvalidInput, PayloadTooLarge
from flowstrand.json_depth import MAX_BODY_DEPTH, is_deeper, may_be_deeper
from flowstrand.jsonvalue import JsonObject

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class RequestBody(BaseModel):
    """Base of request bodies: camelCase, no other fields, no conversions between types."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        defer_build=True,  # with the first body: a function that starts has one to take, and knows forty
    )

    not_supported: ClassVar[frozenset[str]] = frozenset()
    """Fields of the contract that this version refuses rather than ignores."""

    @field_validator("*", mode="before")
    @classmethod
    def _take_whole_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """JSON has numbers, and no integers: a whole one may be written as 5.0."""
        if isinstance(value, float) and value.is_integer() and info.field_name in _integers(cls):
            return int(value)
        return value


@cache
def _integers(model: type[BaseModel]) -> frozenset[str]:
    """The fields of a model that are integers, or nothing."""
    return frozenset(name for name, field in model.model_fields.items() if _is_integer(field.annotation))


def _is_integer(annotation: Any) -> bool:
    inner = [one for one in get_args(annotation) if one is not type(None)]
    return annotation is int or (bool(inner) and _is_integer(inner[0]) and get_origin(annotation) is not list)


Body = TypeVar("Body", bound=RequestBody)


def read_body(request: Request, model: type[Body], *, max_bytes: int) -> Body:
    """The body of `request` as a `model`.

    Raises:
        PayloadTooLarge: it is longer than `max_bytes`.
        InvalidInput: it is not JSON (`MALFORMED_JSON`), does not fit (`INVALID_INPUT`, one JSON pointer per fault),
            or uses a field that is not supported (`NOT_SUPPORTED`).
    """
    document = _parse(_text(request, max_bytes))
    if isinstance(document, dict) and (refused := model.not_supported & document.keys()):
        details: list[JsonObject] = [
            {"pointer": f"/{name}", "message": "not supported"} for name in sorted(refused)
        ]
        raise InvalidInput(f"not supported: {', '.join(sorted(refused))}", code="NOT_SUPPORTED", details=details)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidInput("the request body is not valid", details=faults(error)) from None


def faults(error: ValidationError) -> list[JsonObject]:
    """`{"pointer", "message"}` for each fault; pointers are RFC 6901."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"pointer": _pointer(fault["loc"]), "message": fault["msg"]} for fault in found]


def _text(request: Request, max_bytes: int) -> str:
    raw = request.body or ""
    try:
        body = base64.b64decode(raw, validate=True) if request.resolved_event.is_base64_encoded else raw.encode()
        if len(body) > max_bytes:
            raise PayloadTooLarge(f"a request body may have {max_bytes} bytes, this one has {len(body)}")
        return body.decode()
    except ValueError as error:  # not base64, or not UTF-8
        raise _malformed("the request body is not UTF-8 text") from error


def _parse(text: str) -> Any:
    try:
        document = json.loads(text, parse_constant=_not_json, parse_float=_finite)
        if _SURROGATE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
        if may_be_deeper(text, MAX_BODY_DEPTH) and is_deeper(document, MAX_BODY_DEPTH):
            raise ValueError("it is nested too deeply")
    except (ValueError, RecursionError) as error:
        raise _malformed("the request body is not valid JSON") from error
    return document


def _not_json(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _malformed(message: str) -> InvalidInput:
    return InvalidInput(message, code="MALFORMED_JSON")


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
