"""Stream tickets, for browsers."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.ticket_requests import CreateTicket, TicketIssued
from flowstrand.service import ticketing

router = Router()


@router.post(f"{ORG}/stream-tickets")
def create(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: a ticket for one thing to read."""
    call = call_of(request)
    body = read_body(request, CreateTicket, max_bytes=call.services.settings.max_payload_bytes)
    issued = ticketing.issue(call.services, call.identity, body.to_scope(), ttl_s=body.ttl_seconds)
    return json_response(201, TicketIssued.of(issued).body())
