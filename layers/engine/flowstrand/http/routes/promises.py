"""Settling promises."""

from __future__ import annotations

from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.promise_requests import RejectPromise, ResolvePromise
from flowstrand.http.promise_responses import PromiseSettled
from flowstrand.service import promises

router = Router()


@router.post(f"{ORG}/promises/<promise_id>/resolve")
def resolve(request: Request, org: str, promise_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the sequence of the event that settled it, whoever did."""
    call = call_of(request)
    body = read_body(request, ResolvePromise, max_bytes=call.services.settings.max_payload_bytes)
    settled = promises.resolve(call.services, call.org, unquote(promise_id), body.value)
    return json_response(200, PromiseSettled.of(settled).body())


@router.post(f"{ORG}/promises/<promise_id>/reject")
def reject(request: Request, org: str, promise_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the sequence of the event that settled it, whoever did."""
    call = call_of(request)
    body = read_body(request, RejectPromise, max_bytes=call.services.settings.max_payload_bytes)
    settled = promises.reject(call.services, call.org, unquote(promise_id), body.error.to_info())
    return json_response(200, PromiseSettled.of(settled).body())
