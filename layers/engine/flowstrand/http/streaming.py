"""The `stream` function's routes, outside Powertools, which has no streaming responses.

Authentication and errors are the same as everywhere else, and every error comes before the first byte of a stream.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flowstrand.errors import NotFound
from flowstrand.http.authentication import identity_of
from flowstrand.http.cors import cors_headers
from flowstrand.http.errors import error_parts
from flowstrand.http.streams import consolidated, durable, feed, live
from flowstrand.http.streams.route import StreamCall, StreamRoute
from flowstrand.service.container import Services
from flowstrand.streams.response import StreamResponse

_ROUTES: tuple[StreamRoute, ...] = (*live.ROUTES, *consolidated.ROUTES, *feed.ROUTES, *durable.ROUTES)

ROUTES = frozenset((route.method, route.path) for route in _ROUTES)
"""Every `(method, path)` served here, parameters written as `<name>`."""

_REFUSED = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_logger = logging.getLogger("flowstrand.stream")


def resolve(event: Mapping[str, Any], services: Callable[[], Services]) -> StreamResponse:
    """Serve one API Gateway proxy event. Never raises for what a caller can cause."""
    response = _answer(event, services)
    return replace(response, headers={**response.headers, **cors_headers()})


def _answer(event: Mapping[str, Any], services: Callable[[], Services]) -> StreamResponse:
    try:
        return _stream(event, services)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever it is, the client gets a response
        status, body, headers = error_parts(error, _logger)
        return StreamResponse.of_json(status, body, {**_REFUSED, **headers})


def _stream(event: Mapping[str, Any], services: Callable[[], Services]) -> StreamResponse:
    for route in _ROUTES:
        parameters = route.match(event)
        if parameters is not None:
            return route.open(StreamCall(event=event, parameters=parameters, services=services))
    identity_of(event)  # strangers learn nothing
    raise NotFound("there is no such route", code="ROUTE_NOT_FOUND")
