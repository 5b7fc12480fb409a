"""Registering workers, and hearing of them while they do not poll."""

from __future__ import annotations

from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.errors import NotFound
from flowstrand.http.application import ORG, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.worker_requests import RegisterWorker, WorkerHeartbeat
from flowstrand.http.worker_responses import WorkerRegistered, WorkerSeen
from flowstrand.service import workers
from flowstrand.service.presence import WorkerState

router = Router()


@router.post(f"{ORG}/workers")
def register(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: the worker and what it serves are known."""
    call = call_of(request)
    body = read_body(request, RegisterWorker, max_bytes=call.services.settings.max_payload_bytes)
    registered = workers.register(call.services, call.org, body.to_registration())
    return json_response(201, WorkerRegistered.of(registered).body())


@router.post(f"{ORG}/workers/<worker_id>/heartbeat")
def heartbeat(request: Request, org: str, worker_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: it is known that the worker is there, and what it is doing."""
    call = call_of(request)
    body = read_body(request, WorkerHeartbeat, max_bytes=call.services.settings.max_payload_bytes)
    state = WorkerState(body.state)
    if not call.services.presence.heard_of(call.org, unquote(worker_id), state):
        raise NotFound("there is no such worker, or nothing was heard of it for long", code="WORKER_NOT_FOUND")
    return json_response(200, WorkerSeen(state=state).body())
