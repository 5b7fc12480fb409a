"""CORS: pages of the allowed origin get every answer, whatever it is, and whoever gives it."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from flowstrand.http import cors
from flowstrand.local import routes
from flowstrand.local.functions import Functions
from flowstrand.local.gateway import Gateway
from flowstrand.local.waiter import StopSignal
from flowstrand.local.web_app import web_app
from flowstrand.streams.response import StreamResponse
from tests.functions.provocations import from_the_end, from_the_end_of_a_task
from tests.functions.requests import request_of
from tests.functions.stack import USER_KEY, Stack, sample
from tests.functions.test_samples import STATUS
from tests.support.described import operation_at

ORIGIN = "https://app.example.com"
PATHS = sorted({route.resource for route in routes.ROUTES})


def headers_of(response: Any) -> dict[str, str]:
    if isinstance(response, StreamResponse):
        return response.headers
    return {name: ",".join(values) for name, values in response["multiValueHeaders"].items()}


@pytest.mark.parametrize("name", sorted(STATUS))
def test_every_answer_of_a_function_names_the_allowed_origin(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(cors.ALLOWED_ORIGIN, ORIGIN)
    function = name.partition("/")[0]
    nobodys, elsewhere = sample(name), sample(name)
    del nobodys["requestContext"]["authorizer"]
    elsewhere["path"] += "/no/such/route"

    for event in (sample(name), nobodys, elsewhere):
        headers = headers_of(stack.invoke(function, event))
        assert headers["Access-Control-Allow-Origin"] == ORIGIN
        assert headers["Access-Control-Expose-Headers"] == ", ".join(cors.RESPONSE_HEADERS)
        assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("path", ["workflow-executions", "task-executions"])
def test_so_does_the_answer_that_ends_a_stream_for_good(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv(cors.ALLOWED_ORIGIN, "*")
    way = from_the_end if path == "workflow-executions" else from_the_end_of_a_task
    event = sample("stream/state" if path == "workflow-executions" else "stream/task")
    operation = operation_at("GET", event["path"])
    assert operation is not None

    response = stack.invoke("stream", way(stack, operation, request_of(operation)))

    assert response.status == 204
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_where_no_origin_is_allowed_none_is_named(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(cors.ALLOWED_ORIGIN, raising=False)
    for name in ("executions/get", "stream/state"):
        headers = headers_of(stack.invoke(name.partition("/")[0], sample(name)))
        assert not [header for header in headers if header.startswith("Access-Control")]


@pytest.mark.parametrize("name", ["stream/state", "stream/task", "stream/feed"])
def test_nothing_between_here_and_the_browser_may_hold_a_stream_back(stack: Stack, name: str) -> None:
    headers = headers_of(stack.invoke("stream", sample(name)))
    assert "no-transform" in headers["cache-control"]
    assert "content-encoding" not in headers


# --- the local server -----------------------------------------------------------------------------


async def asked(origins: list[str], method: str, path: str, **headers: str) -> httpx2.Response:
    own = [Route("/_/own", lambda _: PlainTextResponse("own"))]
    app = web_app(Gateway(Functions.load(), StopSignal()), own, origins)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://gateway") as client:
        return await client.request(method, path, headers=sent)


@pytest.mark.parametrize("path", [*PATHS, "/_/own"])
async def test_a_preflight_is_answered_on_every_path_without_a_credential(path: str) -> None:
    response = await asked(
        [ORIGIN],
        "OPTIONS",
        re.sub(r"\{(\w+)\}", r"\1", path),
        Origin=ORIGIN,
        Access_Control_Request_Method="GET",
        Access_Control_Request_Headers="authorization, last-event-id, content-type",
    )
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN
    allowed = {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "last-event-id", "content-type"} <= allowed
    assert {"GET", "POST", "PUT", "DELETE"} <= {
        name.strip() for name in response.headers["access-control-allow-methods"].split(",")
    }


async def test_another_origin_is_told_nothing() -> None:
    preflight = await asked(
        [ORIGIN],
        "OPTIONS",
        "/api/orgs/acme/workers",
        Origin="https://evil.example",
        Access_Control_Request_Method="GET",
    )
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers


async def test_refusals_of_the_gateway_are_for_pages_to_read_too(stack: Stack) -> None:
    for path in ("/api/orgs/acme/workflow-executions", "/no/such/route"):
        response = await asked([ORIGIN, "http://localhost:3000"], "GET", path, Origin="http://localhost:3000")
        assert response.status_code in {401, 404}
        assert response.headers["access-control-allow-origin"] == "http://localhost:3000"


async def test_a_stream_is_for_pages_of_any_origin_where_all_are_allowed(stack: Stack) -> None:
    path = sample("stream/state")["path"]
    response = await asked(["*"], "GET", path, Origin=ORIGIN, Authorization=f"Bearer {USER_KEY}")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
