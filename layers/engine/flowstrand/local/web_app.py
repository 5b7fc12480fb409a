"""The web application of the local server: the gateway behind every path, routes of its own beside it, CORS around all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from flowstrand.http.cors import MAX_AGE_S, REQUEST_HEADERS, RESPONSE_HEADERS
from flowstrand.local.any_path import any_path
from flowstrand.local.gateway import Gateway

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]


def web_app(
    gateway: Gateway,
    own: Sequence[BaseRoute],
    allowed_origins: Sequence[str],
    *,
    lifespan: Callable[[Starlette], Any] | None = None,
) -> Starlette:
    """Everything that the server answers.

    Preflights are answered before anything else: a browser sends no credential with them. What is allowed is the same for every
    path, and the same as in AWS. An origin that is not allowed gets answers without headers, which its browser keeps from it.
    """

    async def serve(request: Request) -> Response:
        return await gateway.serve(request)

    cors = Middleware(
        CORSMiddleware,
        allow_origins=[*allowed_origins],
        allow_methods=_METHODS,
        allow_headers=[*REQUEST_HEADERS],
        expose_headers=[*RESPONSE_HEADERS],
        max_age=MAX_AGE_S,
    )
    return Starlette(routes=[*own, any_path(serve, _METHODS)], middleware=[cors], lifespan=lifespan)
