"""Exceptions as responses: `{"error": "<sentence>", "code": "<STABLE_CODE>", "details": [...]?}`.

Whatever the caller can act on is said; whatever only the operator can act on is logged and answered with one sentence.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from flowstrand.errors import CallerError, StoreUnavailable
from flowstrand.jsonvalue import JsonObject

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.api_gateway import Response

RETRY_AFTER_S = 1
"""Sent with 429 and 503 where the error does not know better."""

_ALWAYS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_response(status: int, body: JsonObject, headers: dict[str, str] | None = None) -> Response[str]:
    """A JSON response that no cache keeps."""
    from aws_lambda_powertools.event_handler.api_gateway import Response  # streams, which need none, go without it

    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Response(
        status_code=status,
        content_type="application/json",
        body=text,
        headers={**_ALWAYS, **(headers or {})},
    )


def error_parts(error: Exception, logger: logging.Logger) -> tuple[int, JsonObject, dict[str, str]]:
    """Status, body and headers for `error`. What is not the caller's to mend is logged, with its traceback."""
    if isinstance(error, CallerError):
        return error.status, error.body(), {**_headers(error.status, error.retry_after_s), **error.headers}
    if isinstance(error, StoreUnavailable):
        logger.warning("the store is unavailable", extra={"cause": error.message})
        body: JsonObject = {"error": "the store is unavailable; try again", "code": error.code}
        return 503, body, _headers(503, None)
    logger.error("a request failed unexpectedly", exc_info=error)
    return 500, {"error": "something went wrong on the server", "code": "INTERNAL_ERROR"}, {}


def error_response(error: Exception, logger: logging.Logger) -> Response[str]:
    """The response for `error`."""
    return json_response(*error_parts(error, logger))


def no_route(allowed: Collection[str]) -> Response[str]:
    """404 for a path that no route has, 405 for one that other methods have."""
    if not allowed:
        return json_response(404, {"error": "there is no such route", "code": "ROUTE_NOT_FOUND"})
    methods = ", ".join(sorted(allowed))
    body: JsonObject = {"error": f"this route takes {methods}", "code": "METHOD_NOT_ALLOWED"}
    return json_response(405, body, {"Allow": methods})


def _headers(status: int, retry_after_s: int | None) -> dict[str, str]:
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if retry_after_s is not None or status in {429, 503}:
        headers["Retry-After"] = str(RETRY_AFTER_S if retry_after_s is None else retry_after_s)
    return headers
