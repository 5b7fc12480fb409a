"""Starting and cancelling standalone tasks; looking at any task, at its attempts and at what they have logged."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.api_gateway import Response, Router
from aws_lambda_powertools.event_handler.request import Request

from flowstrand.http.application import ORG, call_of
from flowstrand.http.body import read_body
from flowstrand.http.errors import json_response
from flowstrand.http.execution_id import known_task
from flowstrand.http.idempotency_key import ttl_to_ms
from flowstrand.http.query import read_query
from flowstrand.http.response_body import Recorded
from flowstrand.http.task_log_requests import LogsQuery
from flowstrand.http.task_log_responses import LogsFound
from flowstrand.http.task_requests import AttemptsQuery, CancelTaskQuery, StartTask
from flowstrand.http.task_responses import AttemptsFound, TaskExecutionStarted, TaskExecutionView
from flowstrand.http.trace_headers import trace_of
from flowstrand.service import attempts as task_attempts
from flowstrand.service import standalone, task_logs, task_snapshots

router = Router()


@router.post(f"{ORG}/task-executions")
def start(request: Request, org: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """201: a task was created; 200: the idempotency key stands for this one."""
    call = call_of(request)
    body = read_body(request, StartTask, max_bytes=call.services.settings.max_payload_bytes)
    if body.idempotency_key is None:
        return _started(
            201,
            TaskExecutionStarted.of(standalone.start(call.services, call.org, body.to_request(trace_of(request)))),
        )
    started = standalone.start_once(
        call.services,
        call.org,
        body.to_request(trace_of(request)),
        body.idempotency_key,
        ttl_ms=ttl_to_ms(body.idempotency_key_ttl),
    )
    answer = TaskExecutionStarted.of(started.tip, is_keyed=True, is_key_new=started.is_new)
    return _started(201 if started.is_new else 200, answer)


@router.get(f"{ORG}/task-executions/<task_id>")
def get(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the task as it stands, whether it is standalone or an execution's."""
    call = call_of(request)
    snapshot = task_snapshots.get(call.services, call.org, known_task(task_id))
    return json_response(200, TaskExecutionView.of(call.org, snapshot).body())


@router.delete(f"{ORG}/task-executions/<task_id>")
def cancel(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: the sequence of the `TASK_CANCELLED`, perhaps of an earlier call; `?reason=` becomes part of it."""
    call, query = call_of(request), read_query(request, CancelTaskQuery)
    sequence = standalone.cancel(call.services, call.org, known_task(task_id), reason=query.reason)
    return json_response(200, Recorded(sequence=sequence).body())


@router.get(f"{ORG}/task-executions/<task_id>/attempts")
def attempts(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: a page of its attempts, the first one first: `?limit=&cursor=`."""
    call, query = call_of(request), read_query(request, AttemptsQuery)
    page = task_attempts.attempts(
        call.services, call.org, known_task(task_id), limit=query.limit, start=query.start()
    )
    return json_response(200, AttemptsFound.of(page).body())


@router.get(f"{ORG}/task-executions/<task_id>/logs")
def logs(request: Request, org: str, task_id: str) -> Response[str]:  # noqa: ARG001 - the path names it
    """200: a page of what its attempts have logged, in order: `?attempt=&level=&limit=&cursor=`."""
    call, query = call_of(request), read_query(request, LogsQuery)
    page = task_logs.read(
        call.services,
        call.org,
        known_task(task_id),
        attempt=query.attempt,
        level=query.level,
        limit=query.limit,
        start=query.start(),
    )
    return json_response(200, LogsFound.of(page).body())


def _started(status: int, started: TaskExecutionStarted) -> Response[str]:
    return json_response(status, started.body(), {"Location": started.links.itself})
