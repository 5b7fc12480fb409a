"""`Gateway`: API Gateway's part. Routes a request, asks the authorizer, invokes the function, sends its answer.

Every request reaches the handlers that deploy to AWS as the event that AWS would send them. Fails closed: without the
authorizer's word nothing is invoked.
"""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response

from flowstrand.aws.telemetry import InvocationFailed
from flowstrand.errors import CallerError, NotFound, PayloadTooLarge, Unauthenticated, Unavailable
from flowstrand.jsonvalue import JsonObject
from flowstrand.local import proxy_event, routes
from flowstrand.local.functions import Functions
from flowstrand.local.proxy_event import Request
from flowstrand.local.routes import Manner, Route
from flowstrand.local.stream_sender import StreamSender
from flowstrand.local.waiter import StopSignal

_QUICK_THREADS = 40
_WAITING_THREADS = 1_000
"""Long-polls held at once. They have threads of their own, so that however many wait, completions are not kept waiting."""
_HOLDING = frozenset({Manner.WAITING, Manner.STREAMING})
_MAX_BODY_BYTES = 10 * 1024 * 1024
"""What API Gateway takes."""

_logger = logging.getLogger("flowstrand.local")


class Gateway:
    """Serves HTTP requests with functions."""

    def __init__(self, functions: Functions, stopping: StopSignal) -> None:
        """Live streams end by themselves when `stopping` is set."""
        self._functions = functions
        self._stopping = stopping
        self._quick = CapacityLimiter(_QUICK_THREADS)
        self._waiting = CapacityLimiter(_WAITING_THREADS)

    async def serve(self, http: HttpRequest) -> Response:
        """The response to one request. Never raises for what a caller can cause."""
        found = routes.match(http.method, _raw_path(http))
        if found is None:
            return _no_route(http)
        route, parameters = found
        try:
            request = await _read(http, route, dict(parameters))
            authorizer = await self._authorize(request)
            return await self._invoke(route, proxy_event.proxy_event(request, authorizer))
        except CallerError as error:
            return _refusal(error)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            # What a function has let through, it has logged itself.
            _logger.exception(
                "%s %s failed", http.method, http.url.path, exc_info=not isinstance(error, InvocationFailed)
            )
            body = {"error": "something went wrong on the server", "code": "INTERNAL_ERROR"}
            return JSONResponse(body, status_code=502)

    async def _authorize(self, request: Request) -> JsonObject:
        """What the authorizer says about the caller.

        Raises:
            Unauthenticated: it raised `Unauthorized`, its way to answer 401.
            Unavailable: it failed.
            NotFound: its policy does not allow the request: the route is another org's, whose existence is not told.
        """
        event = proxy_event.authorizer_event(request)
        try:
            answer = await to_thread.run_sync(self._functions.invoke, "authorizer", event, limiter=self._quick)
        except Exception as error:
            if str(error) == "Unauthorized":
                raise Unauthenticated("a valid credential is required") from None
            _logger.warning("the authorizer failed: %s", error)
            message = "it could not be found out who is calling; try again"
            raise Unavailable(message, retry_after_s=1) from error
        if not proxy_event.allows(answer, proxy_event.method_arn(request)):
            raise NotFound("there is nothing here")
        return proxy_event.authorizer_context(answer)

    async def _invoke(self, route: Route, event: JsonObject) -> Response:
        limiter = self._waiting if route.manner in _HOLDING else self._quick
        answer = await to_thread.run_sync(
            self._functions.invoke, route.function, event, limiter=limiter, abandon_on_cancel=True
        )
        return StreamSender(answer, self._stopping) if route.manner is Manner.STREAMING else _buffered(answer)


def _buffered(answer: dict[str, Any]) -> Response:
    response = Response(proxy_event.response_body(answer), status_code=int(answer["statusCode"]))
    for name, value in proxy_event.response_headers(answer):
        if name.lower() != "content-length":
            response.headers.append(name, value)
    return response


async def _read(http: HttpRequest, route: Route, parameters: dict[str, str]) -> Request:
    """The whole request.

    Raises:
        PayloadTooLarge: it is larger than API Gateway takes.
    """
    body = bytearray()
    async for chunk in http.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise PayloadTooLarge(f"a request may hold {_MAX_BODY_BYTES} bytes")
    return Request(
        method=http.method,
        path=_raw_path(http),
        resource=route.resource,
        path_parameters=parameters,
        headers=tuple(http.headers.items()),
        query=tuple(http.query_params.multi_items()),
        body=bytes(body),
        source_ip=http.client.host if http.client else "127.0.0.1",
        request_id=str(uuid.uuid4()),
        now_ms=time.time_ns() // 1_000_000,
    )


def _raw_path(http: HttpRequest) -> str:
    raw: bytes = http.scope.get("raw_path") or http.scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


def _no_route(http: HttpRequest) -> Response:
    allowed = routes.methods_at(_raw_path(http))
    if not allowed:
        return _refusal(NotFound("there is no such route", code="ROUTE_NOT_FOUND"))
    methods = ", ".join(sorted(allowed))
    body = {"error": f"this route takes {methods}", "code": "METHOD_NOT_ALLOWED"}
    return JSONResponse(body, status_code=405, headers={"Allow": methods})


def _refusal(error: CallerError) -> Response:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return JSONResponse(error.body(), status_code=error.status, headers=headers)
