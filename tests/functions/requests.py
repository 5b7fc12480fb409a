"""A request for every route: the sample event that the route takes, and what can be changed about it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import quote

from flowstrand.http.openapi.operation import Operation
from flowstrand.local import routes
from tests.functions.stack import EVENTS, sample
from tests.functions.test_samples import STATUS
from tests.support.described import operation_at


def request_of(operation: Operation) -> dict[str, Any]:
    """The sample event of a route that is served; a new one every time.

    Raises:
        KeyError: `events/` has none. Every route needs one.
    """
    return sample(_samples()[operation.name])


def with_parameters(operation: Operation, event: dict[str, Any], **others: str) -> dict[str, Any]:
    """The request, with other parameters in its path."""
    given = {**parameters_of(event), **others}
    event["path"] = operation.resource.format(**{name: quote(value, safe="") for name, value in given.items()})
    return event


def with_query(event: dict[str, Any], **parameters: str) -> dict[str, Any]:
    """The request, with these parameters in its query."""
    event["queryStringParameters"] = parameters
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in parameters.items()}
    return event


def with_fields(event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The request, with these fields in its body."""
    event["body"] = json.dumps({**json.loads(event["body"] or "{}"), **fields})
    return event


def parameters_of(event: dict[str, Any]) -> dict[str, str]:
    """The parameters in the request's path, decoded."""
    found = routes.match(event["httpMethod"], event["path"])
    assert found is not None
    return dict(found[1])


@cache
def _samples() -> dict[str, str]:
    """By the name of an operation, the first sample of it that is served."""
    found: dict[str, str] = {}
    for name in sorted(STATUS, reverse=True):
        event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
        operation = operation_at(event["httpMethod"], event["path"])
        if STATUS[name] < 400 and operation is not None:
            found[operation.name] = name
    return found
