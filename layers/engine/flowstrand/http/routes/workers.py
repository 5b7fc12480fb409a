"""Registering workers."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.requests import RegisterWorker
from flowstrand.http.responses import WorkerRegistered
from flowstrand.service import workers

router = Router()


@router.post(f"{ORG}/workers")
def register(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: the worker and what it serves are known."""
    call = call_of(request)
    body = read_body(request, RegisterWorker, max_bytes=call.services.settings.max_payload_bytes)
    registered = workers.register(call.services, call.org, body.to_registration())
    return json_response(201, WorkerRegistered.of(registered).body())
