"""Looking into an execution: its state, its tasks and its children."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.errors import json_response
from flowstrand.http.execution_id import known
from flowstrand.http.query import read_query
from flowstrand.http.work_query import StateQuery, WorkQuery
from flowstrand.http.work_responses import ChildrenFound, StateFound, TasksFound
from flowstrand.service import executions, work_listing

router = Router()


@router.get(f"{ORG}/workflow-executions/<execution_id>/state")
def state(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: what the workflow's code has set and not cleared; with `?key=`, that one at most."""
    call, query = call_of(request), read_query(request, StateQuery)
    values = executions.get_state(call.services, call.org, known(execution_id), query.key)
    return json_response(200, StateFound(state=values).body())


@router.get(f"{ORG}/workflow-executions/<execution_id>/tasks")
def tasks(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: a page of its tasks, open ones first: `?status=&limit=&cursor=`."""
    call, query = call_of(request), read_query(request, WorkQuery)
    page = work_listing.tasks(
        call.services,
        call.org,
        known(execution_id),
        limit=query.limit,
        start=query.start(),
        only=query.status,
    )
    return json_response(200, TasksFound.of(page).body())


@router.get(f"{ORG}/workflow-executions/<execution_id>/children")
def children(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: a page of its child workflows, open ones first: `?status=&limit=&cursor=`."""
    call, query = call_of(request), read_query(request, WorkQuery)
    page = work_listing.children(
        call.services,
        call.org,
        known(execution_id),
        limit=query.limit,
        start=query.start(),
        only=query.status,
    )
    return json_response(200, ChildrenFound.of(page).body())
