"""Reading under the Durable Streams protocol: executions' logs, orgs' feeds and channels."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from flowstrand.http.authentication import authorize_reader
from flowstrand.http.durable_headers import ALWAYS
from flowstrand.http.durable_query import DurableQuery
from flowstrand.http.execution_id import known
from flowstrand.http.query import query_of
from flowstrand.http.streams.route import StreamCall, StreamRoute
from flowstrand.log.port import LogKey
from flowstrand.service.keys import Identity
from flowstrand.service.tickets import Readable, Scope
from flowstrand.streams.durable import reading
from flowstrand.streams.durable.channel import ChannelSource
from flowstrand.streams.durable.execution import ExecutionSource
from flowstrand.streams.durable.feed import FeedSource
from flowstrand.streams.durable.source import Source
from flowstrand.streams.response import StreamResponse

ORG = "/v1/stream/orgs/<org>"


def _execution(call: StreamCall) -> Source:
    id = call.parameters["execution_id"]
    caller = _caller(call, Scope(of=Readable.EXECUTION, id=id))
    return ExecutionSource(call.services(), LogKey(caller.org, known(id)))


def _feed(call: StreamCall) -> Source:
    caller = _caller(call, Scope(of=Readable.FEED))
    return FeedSource(call.services(), caller.org)


def _channel(call: StreamCall) -> Source:
    name = unquote(call.parameters["name"])
    caller = _caller(call, Scope(of=Readable.CHANNEL, id=name))
    return ChannelSource.open(call.services(), caller.org, name)


def _caller(call: StreamCall, scope: Scope) -> Identity:
    return authorize_reader(call.event, org=call.parameters["org"], scope=scope)


def _get(opened: Callable[[StreamCall], Source]) -> Callable[[StreamCall], StreamResponse]:
    def get(call: StreamCall) -> StreamResponse:
        source = opened(call)
        request = query_of(call.event, DurableQuery).request(known=call.header("if-none-match"))
        return _sent(reading.read(call.services(), source, request))

    return get


def _head(opened: Callable[[StreamCall], Source]) -> Callable[[StreamCall], StreamResponse]:
    def head(call: StreamCall) -> StreamResponse:
        return _sent(reading.head(opened(call)))

    return head


def _sent(answer: StreamResponse) -> StreamResponse:
    return StreamResponse(status=answer.status, headers={**ALWAYS, **answer.headers}, body=answer.body)


_SOURCES = {
    f"{ORG}/executions/<execution_id>": _execution,
    f"{ORG}/events": _feed,
    f"{ORG}/channels/<name>": _channel,
}

ROUTES = tuple(
    route
    for path, opened in _SOURCES.items()
    for route in (StreamRoute("GET", path, _get(opened)), StreamRoute("HEAD", path, _head(opened)))
)
