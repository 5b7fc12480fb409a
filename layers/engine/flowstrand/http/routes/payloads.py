"""Payloads that are too large for a request: where to send them, and where to get them from."""

from __future__ import annotations

import re

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.engine.payload_reference import ID_PATTERN
from flowstrand.http.application import ORG, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.execution_id import known_task
from flowstrand.http.payload_requests import PayloadFound, UploadBegun, UploadOutput, UploadPayload
from flowstrand.service import tasks, uploads
from flowstrand.service.payloads import payload_not_found

router = Router()
worker_router = Router()


@router.post(f"{ORG}/payloads")
def upload(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: the value may be sent to this URL."""
    call = call_of(request)
    body = read_body(request, UploadPayload, max_bytes=call.services.settings.max_payload_bytes)
    begun = uploads.begin(call.services, call.org, sha256=body.sha256, size=body.size_bytes)
    return json_response(201, UploadBegun.of(begun).body())


@router.get(f"{ORG}/payloads/<payload_id>")
def find(request: Request, org: str, payload_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the value can be had from this URL."""
    call = call_of(request)
    if re.fullmatch(ID_PATTERN, payload_id) is None:
        raise payload_not_found()
    return json_response(200, PayloadFound.of(uploads.find(call.services, call.org, payload_id)).body())


@worker_router.post(f"{ORG}/task-executions/<task_id>/payloads")
def upload_output(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: the output may be sent to this URL."""
    call = call_of(request)
    body = read_body(request, UploadOutput, max_bytes=call.services.settings.max_payload_bytes)
    tasks.lease_of(call.services, call.org, known_task(task_id), body.lease_token)
    begun = uploads.begin(call.services, call.org, sha256=body.sha256, size=body.size_bytes)
    return json_response(201, UploadBegun.of(begun).body())
