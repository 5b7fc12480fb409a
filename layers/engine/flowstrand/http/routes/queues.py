"""Looking at queues, pausing and limiting them."""

from __future__ import annotations

from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.engine.names import is_name
from flowstrand.errors import InvalidInput
from flowstrand.http.application import ORG, Call, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.list_query import ListQuery
from flowstrand.http.query import read_query
from flowstrand.http.queue_requests import ControlQueue
from flowstrand.http.queue_responses import QueuesFound, QueueView
from flowstrand.service import queue_limits
from flowstrand.service.queue_controls import QueueControl

router = Router()


@router.get(f"{ORG}/queues")
def listed(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: queues that workers or operators have named, by name: `?after=&limit=`."""
    call, query = call_of(request), read_query(request, ListQuery)
    page = call.services.queues.list(call.org, after=query.after, limit=query.limit)
    return json_response(200, QueuesFound.of(page).body())


@router.get(f"{ORG}/queues/<queue>")
def get(request: Request, org: str, queue: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: what holds for a queue; nothing, for one that nobody has named."""
    call, name = call_of(request), queue_name(queue)
    control = call.services.queues.get(call.org, name, max_age_ms=0)
    return json_response(200, _view(call, name, control).body())


@router.put(f"{ORG}/queues/<queue>")
def put(request: Request, org: str, queue: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: what now holds for the queue."""
    call, name = call_of(request), queue_name(queue)
    body = read_body(request, ControlQueue, max_bytes=call.services.settings.max_payload_bytes)
    control = call.services.queues.change(call.org, name, body.to_change())
    return json_response(200, _view(call, name, control).body())


def queue_name(segment: str) -> str:
    """The name that a path's segment stands for.

    Raises:
        InvalidInput: it can be no queue's.
    """
    name = unquote(segment)
    if not is_name(name):
        raise InvalidInput("this cannot be the name of a queue")
    return name


def _view(call: Call, name: str, control: QueueControl) -> QueueView:
    counted = control.max_concurrent is not None
    running = queue_limits.running(call.services, call.org, name) if counted else None
    return QueueView.of(name, control, running=running)
