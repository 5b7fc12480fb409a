"""Responses held against the OpenAPI document: every status, code, content type, header and field must be in it.

Stricter than the document is for clients, who are to ignore fields that they do not know: here a field that it does not
describe is a fault.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from flowstrand.http.openapi import document
from flowstrand.http.openapi.operation import Operation
from flowstrand.http.openapi.operations import OPERATIONS
from flowstrand.local import routes
from flowstrand.streams.response import StreamResponse


def operation_at(method: str, path: str) -> Operation | None:
    """The operation that serves a path, if one does."""
    found = routes.match(method, path)
    return None if found is None else _operations().get((found[0].method, found[0].resource))


def undescribed(event: Mapping[str, Any], response: Any) -> list[str]:
    """What there is in a response to a proxy event that the document does not allow for; nothing if no route is meant."""
    operation = operation_at(event["httpMethod"], event["path"])
    return [] if operation is None else [*_faults(operation, response)]


def _faults(operation: Operation, response: Any) -> Iterator[str]:
    status, headers, body = _parts(response)
    described = _described(operation.resource, operation.method, status)
    if described is None:
        yield f"{operation.name} does not describe status {status}: {body!r}"
        return
    content = described.get("content", {})
    content_type = headers.get("content-type", "").partition(";")[0]
    if content and not {content_type, "*/*"} & content.keys():
        yield f"{operation.name} does not describe {content_type!r} with {status}"
    for name in described.get("headers", ()):
        if name.lower() not in headers:
            yield f"{operation.name} promises {name} with {status}"
    if "application/json" in content and body is not None:
        validator = _validator(operation.resource, operation.method, status)
        for error in validator.iter_errors(json.loads(body)):
            yield f"{operation.name}, {status}, at {error.json_path}: {error.message}"


def _parts(response: Any) -> tuple[int, dict[str, str], str | None]:
    """Status, headers and body; a stream's body is not looked at."""
    if isinstance(response, StreamResponse):
        return response.status, {name.lower(): value for name, value in response.headers.items()}, None
    headers = {name.lower(): values[0] for name, values in response["multiValueHeaders"].items()}
    return response["statusCode"], headers, response["body"]


@cache
def _operations() -> dict[tuple[str, str], Operation]:
    return {(operation.method, operation.resource): operation for operation in OPERATIONS}


@cache
def _document() -> Any:
    """The document, every object of it closed."""
    return _closed(copy.deepcopy(document.document()))


def _closed(value: Any) -> Any:
    match value:
        case dict():
            closed = {key: _closed(item) for key, item in value.items()}
            if value.get("type") == "object" and "properties" in value:
                closed.setdefault("additionalProperties", False)
            return closed
        case list():
            return [_closed(item) for item in value]
        case _:
            return value


@cache
def _described(path: str, method: str, status: int) -> Any:
    response = _document()["paths"][path][method.lower()]["responses"].get(str(status))
    if response and "$ref" in response:
        return _document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return response


@cache
def _validator(path: str, method: str, status: int) -> Draft202012Validator:
    schema = _described(path, method, status)["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": _document()["components"]})
