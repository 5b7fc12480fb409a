"""History and long-poll: `GET …/workflow-executions/{id}/events`, and the same of standalone tasks."""

from __future__ import annotations

from collections.abc import Mapping

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.engine.ids import ExecutionId
from flowstrand.http.application import ORG, call_of
from flowstrand.http.errors import json_response
from flowstrand.http.execution_id import known, known_task
from flowstrand.http.query import read_query
from flowstrand.http.reading_query import HistoryQuery
from flowstrand.http.reading_responses import HistoryFound
from flowstrand.service import history
from flowstrand.service.standalone import require_standalone
from flowstrand.service.tickets import Readable, Scope

router = Router()


def scope_of(parameters: Mapping[str, str]) -> Scope:
    """What one of these routes reads."""
    if "execution_id" in parameters:
        return Scope(of=Readable.EXECUTION, id=parameters["execution_id"])
    return Scope(of=Readable.TASK, id=parameters["task_id"])


@router.get(f"{ORG}/workflow-executions/<execution_id>/events")
def read_events(request: Request, org: str, execution_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """A page of history: `?after=&limit=&types=`; with `?wait=` seconds, a long-poll for the first event."""
    return _read(request, known(execution_id))


@router.get(f"{ORG}/task-executions/<task_id>/events")
def read_task_events(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """The same of a standalone task."""
    call = call_of(request)
    return _read(request, require_standalone(call.services, call.org, known_task(task_id)).execution_id)


def _read(request: Request, log: ExecutionId) -> Response[str]:
    call, query = call_of(request), read_query(request, HistoryQuery)
    types = query.only()
    if query.wait is None:
        page = history.page(call.services, call.org, log, after=query.after, limit=query.limit, types=types)
    else:
        page = history.wait(
            call.services,
            call.org,
            log,
            after=query.after,
            limit=query.limit,
            wait_s=min(query.wait, call.services.settings.long_poll_ms / 1_000),
            types=types,
        )
    return json_response(200, HistoryFound.of(page).body())
