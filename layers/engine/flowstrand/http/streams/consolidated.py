"""`GET …/{id}/stream/consolidated`: an execution and all its descendants."""

from __future__ import annotations

from flowstrand.http.authentication import authorize_reader
from flowstrand.http.consolidated_query import ConsolidatedQuery
from flowstrand.http.execution_id import known
from flowstrand.http.query import query_of
from flowstrand.http.streams.route import StreamCall, StreamRoute
from flowstrand.log.port import LogKey
from flowstrand.service.tickets import Readable, Scope
from flowstrand.streams.consolidated.source import ConsolidatedRequest, open_consolidated
from flowstrand.streams.response import StreamResponse


def _tree(call: StreamCall) -> StreamResponse:
    execution_id = call.parameters["execution_id"]
    scope = Scope(of=Readable.EXECUTION, id=execution_id)
    caller = authorize_reader(call.event, org=call.parameters["org"], scope=scope)
    query = query_of(call.event, ConsolidatedQuery)
    resumed_at = (call.header("last-event-id") or "").strip()
    request = ConsolidatedRequest(after=resumed_at or query.after or None, format=query.format, types=query.only())
    root = LogKey(caller.org, known(execution_id))
    return open_consolidated(call.services(), root, request)


ROUTES = (StreamRoute("GET", "/api/orgs/<org>/workflow-executions/<execution_id>/stream/consolidated", _tree),)
