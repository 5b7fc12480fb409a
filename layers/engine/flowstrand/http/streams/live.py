"""`GET …/{id}/stream` of executions and of standalone tasks."""

from __future__ import annotations

from flowstrand.engine.ids import ExecutionId
from flowstrand.http.authentication import authorize_reader
from flowstrand.http.execution_id import known, known_task
from flowstrand.http.query import query_of
from flowstrand.http.reading_query import StreamQuery, last_event_id
from flowstrand.http.streams.route import StreamCall, StreamRoute
from flowstrand.service.keys import Identity
from flowstrand.service.standalone import require_standalone
from flowstrand.service.tickets import Readable, Scope
from flowstrand.streams.live import LiveRequest, open_stream
from flowstrand.streams.response import StreamResponse


def _execution(call: StreamCall) -> StreamResponse:
    execution_id = call.parameters["execution_id"]
    caller, request = _caller(call, Scope(of=Readable.EXECUTION, id=execution_id)), _request(call)
    return _opened(call, caller, known(execution_id), request)


def _task(call: StreamCall) -> StreamResponse:
    task_id = call.parameters["task_id"]
    caller, request = _caller(call, Scope(of=Readable.TASK, id=task_id)), _request(call)
    task = require_standalone(call.services(), caller.org, known_task(task_id))
    return _opened(call, caller, task.execution_id, request)


def _caller(call: StreamCall, scope: Scope) -> Identity:
    return authorize_reader(call.event, org=call.parameters["org"], scope=scope)


def _request(call: StreamCall) -> LiveRequest:
    query = query_of(call.event, StreamQuery)
    resumed_at = last_event_id(call.header("last-event-id"))
    after = query.after if resumed_at is None else resumed_at
    return LiveRequest(after=after, format=query.format, types=query.only())


def _opened(call: StreamCall, caller: Identity, log: ExecutionId, request: LiveRequest) -> StreamResponse:
    return open_stream(call.services(), caller.org, log, request)


ROUTES = (
    StreamRoute("GET", "/api/orgs/<org>/workflow-executions/<execution_id>/stream", _execution),
    StreamRoute("GET", "/api/orgs/<org>/task-executions/<task_id>/stream", _task),
)
