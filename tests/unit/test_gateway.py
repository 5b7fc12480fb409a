"""The local API Gateway: handlers see what AWS would send them, and nothing gets past the authorizer."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from flowstrand.errors import StoreUnavailable
from flowstrand.local import gateway as gateway_module
from flowstrand.local import routes
from flowstrand.local.any_path import any_path
from flowstrand.local.functions import Functions, Handler
from flowstrand.local.gateway import Gateway
from flowstrand.local.waiter import StopSignal
from flowstrand.streams.response import StreamResponse

EXECUTIONS = "/api/orgs/acme/workflow-executions"
STREAM = f"{EXECUTIONS}/e1/stream"


class Recorder:
    """A handler that keeps what it was invoked with."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any], context: object) -> Any:
        self.events.append(event)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(event) if callable(self.answer) else self.answer


def allow(event: dict[str, Any]) -> dict[str, Any]:
    return policy("Allow", event["methodArn"].split("/")[0] + "/*")


def policy(effect: str, resource: str) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {
        "principalId": "acme/key_1",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"org": "acme", "principals": "user", "keyId": "key_1", "trial": True},
    }


def answer(status: int = 200, body: str = "{}", **more: Any) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body, **more}


def app_of(stopping: StopSignal | None = None, **handlers: Handler) -> Starlette:
    gateway = Gateway(Functions({"authorizer": allow_all, **handlers}), stopping or StopSignal())

    async def serve(request: Request) -> Response:
        return await gateway.serve(request)

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[any_path(serve, methods)])


def allow_all(event: dict[str, Any], context: object) -> dict[str, Any]:
    return allow(event)


async def ask(app: Starlette, method: str, url: str, **options: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://gateway") as client:
        return await client.request(method, url, **options)


async def test_a_request_reaches_its_function_as_a_proxy_event() -> None:
    events = Recorder(answer())
    url = f"{EXECUTIONS}/e%201/events?after=3&types=A&types=B"
    response = await ask(app_of(events=events), "GET", url, headers={"X-Trace": "7"})
    assert response.status_code == 200
    (event,) = events.events
    assert event["httpMethod"] == "GET"
    assert event["path"] == f"{EXECUTIONS}/e%201/events"
    assert event["resource"] == "/api/orgs/{org}/workflow-executions/{executionId}/events"
    assert event["pathParameters"] == {"org": "acme", "executionId": "e 1"}
    assert event["queryStringParameters"] == {"after": "3", "types": "B"}
    assert event["multiValueQueryStringParameters"] == {"after": ["3"], "types": ["A", "B"]}
    assert event["headers"]["x-trace"] == "7"
    assert event["multiValueHeaders"]["x-trace"] == ["7"]
    assert event["body"] is None
    assert event["isBase64Encoded"] is False
    assert event["requestContext"]["stage"] == "local"


async def test_a_name_in_a_path_is_not_taken_for_an_id() -> None:
    executions = Recorder(answer())
    response = await ask(app_of(executions=executions), "GET", f"{EXECUTIONS}/signal-with-start")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert executions.events == []


async def test_a_path_with_a_line_end_is_a_path_like_any_other() -> None:
    events = Recorder(answer())
    response = await ask(app_of(events=events), "GET", f"{EXECUTIONS}/e%0A1/events")
    assert response.status_code == 200
    assert events.events[0]["pathParameters"] == {"org": "acme", "executionId": "e\n1"}


async def test_handlers_learn_who_calls_from_the_authorizer_and_from_nobody_else() -> None:
    executions = Recorder(answer(201))
    forged = {"requestContext": {"authorizer": {"org": "other"}}}
    await ask(app_of(executions=executions), "POST", EXECUTIONS, json=forged, headers={"principals": "worker"})
    assert executions.events[0]["requestContext"]["authorizer"] == {
        "org": "acme",
        "principals": "user",
        "keyId": "key_1",
        "trial": "true",
        "principalId": "acme/key_1",
        "integrationLatency": 0,
    }


async def test_the_authorizer_is_asked_first_with_the_request_but_not_its_body() -> None:
    authorizer = Recorder(allow)
    await ask(app_of(authorizer=authorizer, executions=Recorder(answer())), "POST", EXECUTIONS, json={"kind": "k"})
    (event,) = authorizer.events
    assert event["type"] == "REQUEST"
    assert event["methodArn"].endswith(f"/local/POST{EXECUTIONS}")
    assert "body" not in event


@pytest.mark.parametrize(
    ("verdict", "status", "code"),
    [
        (Exception("Unauthorized"), 401, "UNAUTHENTICATED"),
        (policy("Deny", "*"), 404, "NOT_FOUND"),
        (policy("Allow", "arn:aws:execute-api:elsewhere/*"), 404, "NOT_FOUND"),
        ({"principalId": "x"}, 404, "NOT_FOUND"),
        (StoreUnavailable("throttled"), 503, "UNAVAILABLE"),
    ],
)
async def test_without_the_authorizers_word_nothing_is_invoked(verdict: Any, status: int, code: str) -> None:
    executions = Recorder(answer(201))
    app = app_of(authorizer=Recorder(verdict), executions=executions)
    response = await ask(app, "POST", EXECUTIONS, json={})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert executions.events == []


async def test_a_401_says_how_to_authenticate() -> None:
    app = app_of(authorizer=Recorder(Exception("Unauthorized")))
    assert (await ask(app, "POST", EXECUTIONS)).headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/", "/api", "/api/orgs/acme", f"{EXECUTIONS}/a/b/c", "/api//workers"])
async def test_an_unknown_route_is_404(path: str) -> None:
    response = await ask(app_of(), "GET", path)
    assert (response.status_code, response.json()["code"]) == (404, "ROUTE_NOT_FOUND")


async def test_a_method_that_a_route_does_not_have_is_405() -> None:
    response = await ask(app_of(), "DELETE", EXECUTIONS)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
    assert response.json()["code"] == "METHOD_NOT_ALLOWED"


async def test_a_method_that_a_route_has_only_to_refuse_it_is_not_among_those_that_are_allowed() -> None:
    response = await ask(app_of(), "PATCH", "/v1/stream/orgs/acme/events")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


async def test_an_encoded_slash_stays_inside_its_parameter() -> None:
    executions = Recorder(answer())
    await ask(app_of(executions=executions, stream=Recorder(None)), "GET", f"{EXECUTIONS}/e1%2Fstream")
    assert executions.events[0]["pathParameters"]["executionId"] == "e1/stream"


async def test_a_body_arrives_in_base_64_whatever_is_in_it() -> None:
    executions = Recorder(answer())
    app = app_of(executions=executions)
    for content in (b'"\xff"', b""):
        await ask(app, "POST", EXECUTIONS, content=content)
    bodies = [(event["body"], event["isBase64Encoded"]) for event in executions.events]
    assert bodies == [(base64.b64encode(b'"\xff"').decode(), True), (None, False)]


async def test_a_body_larger_than_the_gateway_takes_is_413(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "_MAX_BODY_BYTES", 10)
    executions = Recorder(answer())
    response = await ask(app_of(executions=executions), "POST", EXECUTIONS, content=b"x" * 11)
    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert executions.events == []


async def test_an_answer_keeps_its_status_its_body_and_every_header() -> None:
    body = base64.b64encode(b"\x00\x01").decode()
    many = {"Set-Cookie": ["a=1", "b=2"], "X-One": ["1"]}
    executions = Recorder(answer(202, body, isBase64Encoded=True, multiValueHeaders=many))
    response = await ask(app_of(executions=executions), "POST", EXECUTIONS)
    assert (response.status_code, response.content) == (202, b"\x00\x01")
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert response.headers["x-one"] == "1"
    assert response.headers["content-type"] == "application/json"


async def test_a_handler_that_raises_is_502_and_tells_nothing() -> None:
    response = await ask(app_of(executions=Recorder(RuntimeError("secret"))), "POST", EXECUTIONS)
    assert (response.status_code, response.json()["code"]) == (502, "INTERNAL_ERROR")
    assert "secret" not in response.text


async def test_fifty_waiting_polls_do_not_starve_a_completion() -> None:
    release = threading.Event()
    waiting = threading.Semaphore(0)

    def tasks(event: dict[str, Any], context: object) -> dict[str, Any]:
        if event["path"].endswith("/poll"):
            waiting.release()
            release.wait(10)
        return answer()

    app = app_of(tasks=tasks)
    polls = [asyncio.create_task(ask(app, "POST", "/api/orgs/acme/queues/default/poll")) for _ in range(50)]
    for _ in polls:
        assert await asyncio.to_thread(waiting.acquire, timeout=10)
    completed = await asyncio.wait_for(ask(app, "POST", "/api/orgs/acme/task-executions/t1/complete"), 10)
    release.set()
    assert completed.status_code == 200
    assert {response.status_code for response in await asyncio.gather(*polls)} == {200}


async def test_a_stream_is_sent_chunk_by_chunk() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"id: 1\n\n"
        yield b"id: 2\n\n"

    stream = Recorder(StreamResponse(status=200, headers={"content-type": "text/event-stream"}, body=body()))
    sent = await sent_by(app_of(stream=stream), until=lambda _: False)
    assert sent[0]["status"] == 200
    assert [message["body"] for message in sent[1:]] == [b"id: 1\n\n", b"id: 2\n\n", b""]
    assert stream.events[0]["requestContext"]["authorizer"]["org"] == "acme"


async def test_a_stream_without_a_body_is_an_empty_response() -> None:
    response = await ask(app_of(stream=Recorder(StreamResponse(status=204))), "GET", STREAM)
    assert (response.status_code, response.content) == (204, b"")


async def test_a_client_that_leaves_ends_the_stream_and_closes_its_reader() -> None:
    closed = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"id: 1\n\n"
            await asyncio.Event().wait()
        finally:
            closed.set()

    app = app_of(stream=Recorder(StreamResponse(status=200, body=body())))
    sent = await asyncio.wait_for(sent_by(app, until=lambda m: m.get("body") == b"id: 1\n\n"), 10)
    assert sent[-1]["body"] == b"id: 1\n\n"
    assert closed.is_set()


async def test_a_server_that_stops_ends_its_streams_between_two_chunks() -> None:
    stopping, closed = StopSignal(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"id: 1\n\n"
            await asyncio.to_thread(stopping.set)
            await asyncio.Event().wait()
        finally:
            closed.set()

    app = app_of(stopping, stream=Recorder(StreamResponse(status=200, body=body())))
    sent = await asyncio.wait_for(sent_by(app, until=lambda _: False), 10)
    assert [message["body"] for message in sent[1:]] == [b"id: 1\n\n", b""]
    assert closed.is_set()


async def test_the_next_chunk_is_asked_for_when_the_client_has_taken_the_last() -> None:
    asked: list[int] = []
    is_offered, is_taken = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        for number in range(3):
            asked.append(number)
            yield b"chunk"

    async def slow_send(message: Message) -> None:
        if message.get("body"):
            is_offered.set()
            await is_taken.wait()

    app = app_of(stream=Recorder(StreamResponse(status=200, body=body())))
    serving = asyncio.create_task(app(scope_of(STREAM), client(asyncio.Event()), slow_send))
    await asyncio.wait_for(is_offered.wait(), 10)
    for _ in range(20):
        await asyncio.sleep(0)
    assert asked == [0]
    is_taken.set()
    await asyncio.wait_for(serving, 10)
    assert asked == [0, 1, 2]


def test_every_route_of_the_handlers_is_served_and_no_other() -> None:
    from flowstrand.http import streaming
    from functions.channels.app import application as channels
    from functions.events.app import application as events
    from functions.executions.app import application as executions
    from functions.tasks.app import application as tasks

    handled = streaming.ROUTES | channels.routes() | events.routes() | executions.routes() | tasks.routes()
    assert {shape(route.method, route.resource) for route in routes.ROUTES} == {shape(*route) for route in handled}


def shape(method: str, path: str) -> tuple[str, tuple[str, ...]]:
    """A route without the names of its parameters."""
    return method, tuple("*" if part[:1] in "{<" else part for part in path.strip("/").split("/"))


def scope_of(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 5_000),
    }


def client(leaving: asyncio.Event) -> Receive:
    """A client that has sent everything and stays until it leaves."""
    requests: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if requests:
            return requests.pop()
        await leaving.wait()
        return {"type": "http.disconnect"}

    return receive


async def sent_by(app: Starlette, until: Callable[[Message], bool]) -> list[Message]:
    """What a client of the stream gets until `until` makes it leave, or until the response is over."""
    sent: list[Message] = []
    leaving = asyncio.Event()

    async def send(message: Message) -> None:
        sent.append(message)
        if until(message):
            leaving.set()

    await app(scope_of(STREAM), client(leaving), send)
    return sent
