"""Query parameters: text to a validated model, or a refusal that says what is wrong and repeats no value.

What a model does not have is ignored. What it has may be given once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.request import Request

MAX_POSITION = 10**15 - 1
"""No log comes near it, and every number of JSON has room for it."""

_WHOLE = re.compile(r"[0-9]{1,15}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")


class Query(BaseModel):
    """Base of query parameters: camelCase, each with a default."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="ignore", frozen=True, hide_input_in_errors=True, defer_build=True
    )


AnyQuery = TypeVar("AnyQuery", bound=Query)


def read_query(request: Request, model: type[AnyQuery]) -> AnyQuery:
    """The parameters of a request's query string as a `model`.

    Raises:
        InvalidInput: they do not fit (`INVALID_INPUT`, one pointer per fault: `/limit`).
    """
    return query_of(request.resolved_event.raw_event, model)


def query_of(event: Mapping[str, Any], model: type[AnyQuery]) -> AnyQuery:
    """The parameters in the query string of an API Gateway proxy event. Raises what `read_query` does."""
    parameters: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    known = {field.alias or name for name, field in model.model_fields.items()}
    repeated = [name for name, values in parameters.items() if name in known and len(values) > 1]
    if repeated:
        raise _refused(dict.fromkeys(repeated, "is given more than once"))
    return fitted({name: values[-1] for name, values in parameters.items()}, model)


def fitted(given: Mapping[str, str], model: type[AnyQuery]) -> AnyQuery:
    """`given` as a `model`. Raises what `read_query` does."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise _refused({str(fault["loc"][0]): fault["msg"] for fault in reversed(found)}) from None


def _refused(faults: Mapping[str, str]) -> InvalidInput:
    details: list[JsonObject] = [{"pointer": f"/{name}", "message": text} for name, text in faults.items()]
    return InvalidInput(f"not valid in the query: {', '.join(faults)}", details=details)


def _whole(value: Any) -> Any:
    """Decimal digits and nothing else: no sign, no space, no other alphabet's digits."""
    if isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


def _number(value: Any) -> Any:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("must be a number")
    return value


def _names(value: Any) -> Any:
    """Names separated by commas."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


WholeNumber = BeforeValidator(_whole)
"""For an `int`; to the right of its limits, so that schemas have those."""
Number = BeforeValidator(_number)
"""For a `float`, likewise."""
CommaSeparated = BeforeValidator(_names)
"""For a list: `?types=A,B`."""
