"""Looking at what can be started and scheduled."""

from __future__ import annotations

from collections.abc import Callable

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.definition_responses import DefinitionsFound
from flowstrand.http.errors import json_response
from flowstrand.http.list_query import ListQuery
from flowstrand.http.query import read_query
from flowstrand.service import definitions
from flowstrand.service.definitions import DefinitionPage

router = Router()


@router.get(f"{ORG}/workflow-definitions")
def workflows(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: workflows that can be started, by kind: `?after=&limit=`."""
    return _listed(request, definitions.workflows)


@router.get(f"{ORG}/task-definitions")
def tasks(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: tasks that workers have registered, by kind: `?after=&limit=`."""
    return _listed(request, definitions.tasks)


def _listed(request: Request, use_case: Callable[..., DefinitionPage]) -> Response[str]:
    call, query = call_of(request), read_query(request, ListQuery)
    page = use_case(call.services, call.org, after=query.after, limit=query.limit)
    return json_response(200, DefinitionsFound.of(page).body())
