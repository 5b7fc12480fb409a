"""Looking at workers: not for workers themselves."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.errors import json_response
from flowstrand.http.query import read_query
from flowstrand.http.worker_query import WorkerQuery
from flowstrand.http.worker_responses import WorkersFound

router = Router()


@router.get(f"{ORG}/workers")
def listed(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: workers that were heard of lately, by id: `?queue=&after=&limit=`."""
    call, query = call_of(request), read_query(request, WorkerQuery)
    page = call.services.presence.list(call.org, queue=query.queue, after=query.after, limit=query.limit)
    return json_response(200, WorkersFound.of(page).body())
