"""The reading handlers: history, long-poll and both stream formats show the same log; bad questions are refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

import functions.events.app
import functions.stream.app
from flowstrand.engine.events import EventType
from flowstrand.local.lambda_context import LocalContext
from flowstrand.service.container import install
from flowstrand.streams.response import StreamResponse
from flowstrand.views.history_item import history_item
from tests.unit.reading_world import ReadingWorld, failing_task
from tests.unit.sse_parser import parse

PATH = "/api/orgs/acme/workflow-executions/01X"
CALLER = {"org": "acme", "principals": "user", "keyId": "key_1"}


@pytest.fixture
def world() -> Iterator[ReadingWorld]:
    made = ReadingWorld()
    uninstall = install(made.services)
    try:
        failing_task(made)
        yield made
    finally:
        uninstall()


def proxy_event(
    path: str,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    caller: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A `GET` as API Gateway passes it on."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "GET",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in (query or {}).items()},
        "pathParameters": None,
        "requestContext": {"authorizer": CALLER if caller is None else caller, "path": path, "stage": "api"},
        "body": None,
        "isBase64Encoded": False,
    }


def read(query: dict[str, str] | None = None, path: str = f"{PATH}/events") -> tuple[int, dict[str, Any]]:
    response = functions.events.app.lambda_handler(proxy_event(path, query), None)
    return response["statusCode"], json.loads(response["body"])


def opened(
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    path: str = f"{PATH}/stream",
    caller: dict[str, str] | None = None,
) -> StreamResponse:
    event = proxy_event(path, query, headers, caller)
    return functions.stream.app.lambda_handler(event, LocalContext(function_name="stream"))


def body_of(response: StreamResponse) -> bytes:
    async def collect() -> bytes:
        assert response.body is not None
        return b"".join([chunk async for chunk in response.body])

    return asyncio.run(collect())


def test_every_transport_shows_the_same_log(world: ReadingWorld) -> None:
    log = [(event.sequence, event.type.value) for event in world.events()]
    _, history = read()
    _, long_poll = read({"wait": "5"})
    state = parse(body_of(opened()))
    cloud = [json.loads(event.data) for event in parse(body_of(opened({"format": "cloudevents"})))]
    assert [(item["sequence"], item["type"]) for item in history["events"]] == log
    assert long_poll == history
    assert [(int(event.last_event_id), json.loads(event.data)["event"]) for event in state] == log
    assert [(item["sequence"], item["type"].upper().replace(".", "_")) for item in cloud] == log
    assert [item["data"] for item in cloud] == [item["data"] for item in history["events"]]


def test_a_page_of_history_has_the_contracts_shape(world: ReadingWorld) -> None:
    assert read({"after": "5", "limit": "1"}) == (
        200,
        {
            "events": [history_item(world.events()[5])],
            "nextAfter": 6,
            "upToDate": False,
            "closed": True,
        },
    )


def test_history_is_filtered_by_exact_names(world: ReadingWorld) -> None:
    _, body = read({"types": "TASK_FAILED, TASK_STARTED"})
    assert [item["type"] for item in body["events"]] == ["TASK_STARTED", "TASK_FAILED"]
    assert body["nextAfter"] == 7


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"after": "8"}, "POSITION_BEYOND_TAIL"),
        ({"after": "-1"}, "INVALID_INPUT"),
        ({"after": "one"}, "INVALID_INPUT"),
        ({"after": "1.5"}, "INVALID_INPUT"),
        ({"after": "9" * 5_000}, "INVALID_INPUT"),
        ({"limit": "0"}, "INVALID_INPUT"),
        ({"limit": "1001"}, "INVALID_INPUT"),
        ({"limit": "²"}, "INVALID_INPUT"),
        ({"wait": "21"}, "INVALID_INPUT"),
        ({"wait": "-1"}, "INVALID_INPUT"),
        ({"wait": "nan"}, "INVALID_INPUT"),
        ({"wait": "."}, "INVALID_INPUT"),
        ({"types": "TASK_FAILED,TASK"}, "INVALID_INPUT"),
        ({"types": "task.fail"}, "INVALID_INPUT"),
        ({"types": "*"}, "INVALID_INPUT"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{next(iter(value.items()))}"[:30],
)
def test_a_bad_question_is_400(world: ReadingWorld, query: dict[str, str], code: str) -> None:
    status, body = read(query)
    assert (status, body["code"]) == (400, code)
    if code == "INVALID_INPUT":
        assert body["details"][0]["pointer"] == f"/{next(iter(query))}"


def test_an_unknown_execution_is_404_on_every_route(world: ReadingWorld) -> None:
    status, body = read(path=f"{PATH}Y/events")
    assert (status, body["code"]) == (404, "EXECUTION_NOT_FOUND")
    response = opened(path=f"{PATH}Y/stream")
    assert response.status == 404
    assert json.loads(body_of(response))["code"] == "EXECUTION_NOT_FOUND"


def test_the_last_event_id_beats_the_query(world: ReadingWorld) -> None:
    resumed = parse(body_of(opened({"after": "1"}, {"Last-Event-ID": "5"})))
    assert [event.last_event_id for event in resumed] == ["6", "7"]
    queried = parse(body_of(opened({"after": "6"}, {"last-event-id": ""})))
    assert [event.last_event_id for event in queried] == ["7"]


def test_a_stream_is_filtered_by_exact_names(world: ReadingWorld) -> None:
    assert [event.last_event_id for event in parse(body_of(opened({"types": "TASK_FAILED"})))] == ["5"]


def test_after_the_end_the_stream_is_204(world: ReadingWorld) -> None:
    response = opened(headers={"Last-Event-ID": "7"})
    assert (response.status, response.body) == (204, None)


@pytest.mark.parametrize(
    ("query", "headers", "code"),
    [
        ({"format": "xml"}, {}, "INVALID_INPUT"),
        ({"types": "NOTHING"}, {}, "INVALID_INPUT"),
        ({"after": "x"}, {}, "INVALID_INPUT"),
        ({}, {"Last-Event-ID": "x"}, "INVALID_INPUT"),
        ({}, {"Last-Event-ID": "8"}, "POSITION_BEYOND_TAIL"),
    ],
    ids=["format", "types", "after", "id", "beyond"],
)
def test_a_bad_question_to_a_stream_is_400_json(
    world: ReadingWorld, query: dict[str, str], headers: dict[str, str], code: str
) -> None:
    response = opened(query, headers)
    assert (response.status, response.headers["content-type"]) == (400, "application/json")
    assert json.loads(body_of(response))["code"] == code


@pytest.mark.parametrize(
    ("caller", "status", "code"),
    [
        ({}, 401, "UNAUTHENTICATED"),
        ({"org": "acme", "principals": "user"}, 401, "UNAUTHENTICATED"),
        ({"org": "acme", "principals": "", "keyId": "k"}, 401, "UNAUTHENTICATED"),
        ({"org": "acme", "principals": "worker", "keyId": "k"}, 403, "WRONG_PRINCIPAL"),
        ({"org": "other", "principals": "user", "keyId": "k"}, 404, "NOT_FOUND"),
    ],
    ids=["nobody", "no key", "no principal", "worker", "other org"],
)
def test_a_stream_is_denied_by_default(
    world: ReadingWorld, caller: dict[str, str], status: int, code: str
) -> None:
    response = opened(caller=caller)
    assert response.status == status
    assert json.loads(body_of(response))["code"] == code


@pytest.mark.parametrize("caller", [CALLER, {}], ids=["user", "nobody"])
def test_another_path_is_no_stream(world: ReadingWorld, caller: dict[str, str]) -> None:
    response = opened(path="/api/orgs/acme/elsewhere", caller=caller)
    assert response.status == (404 if caller else 401)


def test_an_unreadable_store_is_503_with_a_time_to_come_back(world: ReadingWorld) -> None:
    world.log.fails = 1
    response = opened()
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert json.loads(body_of(response))["code"] == "STORE_UNAVAILABLE"


def test_a_damaged_log_is_500_and_says_nothing_of_its_insides(world: ReadingWorld) -> None:
    world.log.commits.clear()
    world.write(EventType.WORKFLOW_STARTED)
    [commit] = next(iter(world.log.commits.values()))
    object.__setattr__(commit, "events", b"?")
    response = opened()
    assert response.status == 500
    assert json.loads(body_of(response))["code"] == "INTERNAL_ERROR"
