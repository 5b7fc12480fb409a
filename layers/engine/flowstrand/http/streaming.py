"""The streaming routes: `GET …/{id}/stream` of executions and of standalone tasks, outside Powertools.

It has no streaming responses. Authentication and errors are the same as everywhere else, and every error comes before the first byte of a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger

from flowstrand.errors import NotFound
from flowstrand.http.authentication import authorize, identity_of
from flowstrand.http.errors import error_parts
from flowstrand.http.execution_id import known, known_task
from flowstrand.http.query import query_of
from flowstrand.http.reading_query import StreamQuery, last_event_id
from flowstrand.service.container import Services
from flowstrand.service.keys import Principal
from flowstrand.service.standalone import require_standalone
from flowstrand.streams.live import LiveRequest, open_stream
from flowstrand.streams.response import StreamResponse

ROUTES = frozenset(
    {
        ("GET", "/api/orgs/<org>/workflow-executions/<execution_id>/stream"),
        ("GET", "/api/orgs/<org>/task-executions/<task_id>/stream"),
    }
)
"""Every `(method, path)` served here, parameters written as `<name>`."""

_logger = Logger(service="stream")


def resolve(event: Mapping[str, Any], services: Callable[[], Services]) -> StreamResponse:
    """Serve one API Gateway proxy event. Never raises for what a caller can cause."""
    try:
        return _stream(event, services)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, the client gets a response
        status, body, headers = error_parts(error, _logger)
        return StreamResponse.of_json(status, body, {"cache-control": "no-store", **headers})


def _stream(event: Mapping[str, Any], services: Callable[[], Services]) -> StreamResponse:
    org, collection, id = _target(event)
    caller = authorize(event, org=org, principal=Principal.USER)
    query = query_of(event, StreamQuery)
    resumed_at = last_event_id(_header(event, "last-event-id"))
    request = LiveRequest(
        after=query.after if resumed_at is None else resumed_at, format=query.format, types=query.only()
    )
    if collection == "task-executions":
        log = require_standalone(services(), caller.org, known_task(id)).execution_id
    else:
        log = known(id)
    return open_stream(services(), caller.org, log, request)


def _target(event: Mapping[str, Any]) -> tuple[str, str, str]:
    """The org, and the collection and the id of what the path names.

    Raises:
        NotFound: not the path of a stream; for strangers, Unauthenticated.
    """
    match str(event.get("path") or "").strip("/").split("/"):
        case ["api", "orgs", org, "workflow-executions" | "task-executions" as collection, id, "stream"] if (
            event.get("httpMethod") == "GET"
        ):
            return org, collection, id
        case _:
            identity_of(event)
            raise NotFound("there is no such route", code="ROUTE_NOT_FOUND")


def _header(event: Mapping[str, Any], name: str) -> str | None:
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), None)
