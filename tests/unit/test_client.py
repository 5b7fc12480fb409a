"""The client: what it asks, what it repeats, and that its stream loses and repeats nothing (laws 1 and 2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import stamina
from pydantic import BaseModel

from flowstrand import CodecFailed, Compression, PayloadCodecs
from flowstrand.client import Client, Connection, StreamEvent, SyncClient
from flowstrand.client.stream import StreamCursor
from flowstrand.errors import (
    CallerError,
    ConfigurationError,
    Conflict,
    InvalidDefinition,
    LogCorrupted,
    NotFound,
    NotSerializable,
    PayloadTooLarge,
    QuotaExceeded,
    Unauthenticated,
    Unavailable,
    WorkflowFailed,
    WorkflowTimeout,
    WrongPrincipal,
)
from flowstrand.sdk.workflow import workflow
from flowstrand.sdk.workflow_context import WorkflowContext
from tests.unit.fake_api import EXECUTION, FAILING_TASK, FakeApi


class Order(BaseModel):
    item: str


class Receipt(BaseModel):
    total: int


@workflow(name="place-order")
async def place_order(_ctx: WorkflowContext, order: Order) -> Receipt:
    return Receipt(total=len(order.item))


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("flowstrand.client.pauses._DEFAULT_S", 0.0)
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def sync_client(api: FakeApi) -> Iterator[SyncClient]:
    with SyncClient("http://server", "key", "acme", transport=api.transport) as client:
        yield client


def client_of(api: FakeApi) -> Client:
    return Client("http://server", "key", "acme", transport=api.transport)


async def streamed(api: FakeApi, after: int = 0) -> list[StreamEvent]:
    async with client_of(api) as client:
        return [event async for event in client.stream(EXECUTION, after=after)]


def refusal(status: int, code: str, **headers: str) -> httpx2.Response:
    body = {"error": "no", "code": code, "details": [{"pointer": "/kind", "message": "missing"}]}
    return httpx2.Response(status, json=body, headers=headers)


async def test_a_stream_shows_every_event_with_its_type_and_snapshot(api: FakeApi) -> None:
    events = await streamed(api)
    assert [event.type for event in events] == list(FAILING_TASK)
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert events[0].data == {"kind": "k"}
    assert events[0].timestamp_ms == 1_001
    assert events[-1].is_terminal


async def test_a_stream_cut_at_any_byte_goes_on_where_it_was(api: FakeApi) -> None:
    whole = api.frames(0)
    for cut in range(len(whole) + 1):
        api.cuts = [cut]
        assert [event.type for event in await streamed(api)] == list(FAILING_TASK), f"cut after {cut} bytes"


def test_a_synchronous_stream_cut_at_any_byte_goes_on_where_it_was(api: FakeApi, sync_client: SyncClient) -> None:
    for cut in range(0, len(api.frames(0)) + 1, 7):
        api.cuts = [cut]
        assert [event.type for event in sync_client.stream(EXECUTION)] == list(FAILING_TASK)


async def test_a_stream_resumes_by_the_last_event_id(api: FakeApi) -> None:
    api.cuts = [len(api.frames(0)) - len(api.frames(4)) + 20]
    await streamed(api)
    assert [request.headers.get("last-event-id") for request in api.requests] == [None, "4"]


async def test_a_stream_of_an_ended_log_ends_at_once(api: FakeApi) -> None:
    assert await streamed(api, after=7) == []


async def test_a_gap_in_a_stream_is_never_passed_over(api: FakeApi) -> None:
    api.types = FAILING_TASK[:3]
    api.faults = [stream_of(api.frames(0) + b"id: 5\nevent: data\ndata: {}\n\n")]
    with pytest.raises(LogCorrupted, match="expected event 4, got '5'"):
        await streamed(api)


async def test_a_repeated_event_is_never_shown_twice(api: FakeApi) -> None:
    api.types = FAILING_TASK[:6]
    api.faults = [stream_of(api.frames(5) + api.frames(5))]
    with pytest.raises(LogCorrupted, match="expected event 7, got '6'"):
        await streamed(api, after=5)


def test_a_token_is_raw_text_even_where_it_looks_like_json() -> None:
    cursor = StreamCursor(3)
    event = cursor.accept(httpx2.ServerSentEvent(event="token", data='{"a":\n1}', id="4"))
    assert event is not None
    assert (event.type, event.data) == ("STREAM_TOKEN", '{"a":\n1}')


def test_a_frame_that_only_carries_an_id_is_no_event() -> None:
    cursor = StreamCursor(3)
    assert cursor.accept(httpx2.ServerSentEvent(id="9", retry=500)) is None
    assert cursor.sequence == 3


def test_cloud_events_have_the_same_names_as_every_other_view() -> None:
    cursor = StreamCursor(0, "cloudevents")
    data = {"specversion": "1.0", "type": "child.completed", "time": "1970-01-01T00:00:01.000Z", "data": {"x": 1}}
    event = cursor.accept(httpx2.ServerSentEvent(event="child.completed", data=json.dumps(data), id="1"))
    assert event is not None
    assert (event.type, event.timestamp_ms, event.data) == ("CHILD_WORKFLOW_COMPLETED", 1_000, {"x": 1})


async def test_history_is_read_page_by_page(api: FakeApi) -> None:
    api.page_size = 3
    async with client_of(api) as client:
        events = [event async for event in client.events(EXECUTION)]
    assert [(event.sequence, event.type) for event in events] == list(enumerate(FAILING_TASK, 1))
    assert [request.url.params["after"] for request in api.requests] == ["0", "3", "6"]


async def test_a_page_with_a_gap_is_refused(api: FakeApi) -> None:
    item = {"sequence": 2, "type": "TASK_CREATED", "timestamp": "2024-11-23T09:00:00.000Z", "data": {}}
    page = {"events": [item], "nextAfter": 2, "upToDate": True, "closed": False}
    api.faults = [httpx2.Response(200, json=page)]
    async with client_of(api) as client:
        with pytest.raises(LogCorrupted):
            await client.history(EXECUTION)


@pytest.mark.parametrize("fault", [refusal(503, "UNAVAILABLE"), httpx2.ReadError("gone")])
async def test_a_start_without_a_key_is_never_repeated(api: FakeApi, fault: httpx2.Response | Exception) -> None:
    api.faults = [fault]
    async with client_of(api) as client:
        with pytest.raises(Unavailable):
            await client.start("order")
    assert len(api.requests) == 1


async def test_a_start_over_quota_has_done_nothing_and_is_repeated_with_or_without_a_key(api: FakeApi) -> None:
    api.faults = [refusal(429, "QUOTA_EXCEEDED")] * 2
    async with client_of(api) as client:
        assert (await client.start("order")).id == EXECUTION
    assert len(api.requests) == 3


@pytest.mark.parametrize("key", [None, "k"])
async def test_what_an_orgs_usage_plan_refuses_is_told_at_once(api: FakeApi, key: str | None) -> None:
    api.faults = [refusal(429, "USAGE_LIMIT_REACHED")]
    async with client_of(api) as client:
        with pytest.raises(QuotaExceeded) as refused:
            await client.start("order", idempotency_key=key)
        assert (refused.value.code, len(api.requests)) == ("USAGE_LIMIT_REACHED", 1)
        # A stream is asked for once, and a long-poll has the last word.
        api.faults = [refusal(429, "USAGE_LIMIT_REACHED")] * 2
        with pytest.raises(QuotaExceeded):
            _ = [event async for event in client.handle(EXECUTION).stream()]
    assert len(api.requests) == 3


@pytest.mark.parametrize("fault", [refusal(503, "UNAVAILABLE"), httpx2.ReadError("gone")])
async def test_a_start_under_a_key_is_repeated_as_the_same_request(
    api: FakeApi, fault: httpx2.Response | Exception
) -> None:
    api.faults = [fault]
    async with client_of(api) as client:
        await client.start("order", idempotency_key="k", idempotency_key_ttl=timedelta(hours=2))
    bodies = [json.loads(request.content) for request in api.requests]
    key = {"idempotencyKey": "k", "idempotencyKeyTTL": "7200s"}
    assert bodies == [{"kind": "order", "input": None, "queue": "default", **key}] * 2


def test_a_start_under_a_key_is_repeated_by_the_synchronous_client(api: FakeApi, sync_client: SyncClient) -> None:
    api.faults = [httpx2.ReadError("gone")]
    assert sync_client.start("order", idempotency_key="k").id == EXECUTION
    assert len(api.requests) == 2


async def test_a_key_without_time_starts_nothing(api: FakeApi) -> None:
    async with client_of(api) as client:
        with pytest.raises(InvalidDefinition):
            await client.start("order", idempotency_key="k", idempotency_key_ttl=0)
    assert api.requests == []


@pytest.mark.parametrize("fault", [refusal(503, "UNAVAILABLE"), httpx2.ReadError("gone")])
async def test_a_read_is_repeated(api: FakeApi, fault: httpx2.Response | Exception) -> None:
    api.faults = [fault, fault]
    async with client_of(api) as client:
        assert (await client.get(EXECUTION)).status == "COMPLETED"
    assert len(api.requests) == 3


def test_a_refused_read_is_not_repeated(api: FakeApi, sync_client: SyncClient) -> None:
    api.faults = [refusal(404, "EXECUTION_NOT_FOUND")]
    with pytest.raises(NotFound) as caught:
        sync_client.get(EXECUTION)
    assert caught.value.code == "EXECUTION_NOT_FOUND"
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Unauthenticated),
        (403, WrongPrincipal),
        (404, NotFound),
        (409, Conflict),
        (413, PayloadTooLarge),
        (418, CallerError),
        (500, Unavailable),
    ],
)
def test_refusals_become_the_errors_of_the_tree(
    api: FakeApi, sync_client: SyncClient, status: int, expected: type[CallerError]
) -> None:
    api.faults = [refusal(status, "SOME_CODE")]
    with pytest.raises(expected) as caught:
        sync_client.start("order")
    assert type(caught.value) is expected
    assert caught.value.code == "SOME_CODE"
    assert caught.value.details == [{"pointer": "/kind", "message": "missing"}]


def test_a_server_that_cannot_be_reached_is_named(api: FakeApi, sync_client: SyncClient) -> None:
    api.faults = [httpx2.ConnectError("refused")] * 3
    with pytest.raises(Unavailable, match="cannot reach http://server: refused"):
        sync_client.get(EXECUTION)


def test_a_start_sends_what_the_contract_says(api: FakeApi, sync_client: SyncClient) -> None:
    handle = sync_client.start("order", {"item": "thread"}, queue="fast", metadata={"team": "a"})
    assert handle.id == EXECUTION
    request = api.requests[0]
    assert request.url.path == "/api/orgs/acme/workflow-executions"
    assert request.headers["authorization"] == "Bearer key"
    body = {"kind": "order", "input": {"item": "thread"}, "queue": "fast", "metadata": {"team": "a"}}
    assert json.loads(request.content) == body


@pytest.mark.parametrize(("duration", "seconds"), [(90, 90), (timedelta(minutes=2), 120), (0.25, 0.25)])
async def test_a_start_may_say_how_long_the_execution_may_take(
    api: FakeApi, sync_client: SyncClient, duration: float | timedelta, seconds: float
) -> None:
    async with client_of(api) as client:
        await client.start("order", execution_timeout=duration)
    sync_client.start("order", execution_timeout=duration)
    for request in api.requests:
        assert json.loads(request.content)["timeoutSeconds"] == seconds


async def test_an_execution_without_time_is_not_started(api: FakeApi) -> None:
    async with client_of(api) as client:
        with pytest.raises(InvalidDefinition, match="timeout"):
            await client.start("order", execution_timeout=0)
    assert api.requests == []


async def test_a_definition_types_the_input_and_the_output(api: FakeApi) -> None:
    api.output = {"total": 6}
    async with client_of(api) as client:
        receipt = await client.start_and_wait(place_order, Order(item="thread"))
    assert receipt == Receipt(total=6)
    assert json.loads(api.requests[0].content)["input"] == {"item": "thread"}


async def test_an_input_that_is_no_json_starts_nothing(api: FakeApi) -> None:
    async with client_of(api) as client:
        with pytest.raises(NotSerializable):
            await client.start("order", object())
    assert api.requests == []


async def test_inputs_leave_encoded_and_results_are_decoded(api: FakeApi) -> None:
    codecs = PayloadCodecs(Compression())
    api.output = codecs.to_wire({"total": 6})
    async with Client("http://server", "key", "acme", codec=codecs, transport=api.transport) as client:
        receipt = await client.start_and_wait(place_order, Order(item="thread"))
    assert receipt == Receipt(total=6)
    assert json.loads(api.requests[0].content)["input"] == codecs.to_wire({"item": "thread"})


def test_a_result_that_cannot_be_decoded_says_what_is_missing(api: FakeApi, sync_client: SyncClient) -> None:
    api.output = PayloadCodecs(Compression()).to_wire({"total": 6})
    with pytest.raises(CodecFailed, match="'zlib', which is not configured"):
        sync_client.handle(EXECUTION).result()
    with SyncClient("http://server", "key", "acme", codec=Compression(), transport=api.transport) as client:
        assert client.handle(EXECUTION, place_order).result() == Receipt(total=6)


def test_an_option_that_does_not_exist_starts_nothing(api: FakeApi, sync_client: SyncClient) -> None:
    misspelt: Any = {"quue": "fast"}
    with pytest.raises(TypeError, match="there is no option quue"):
        sync_client.start("order", None, **misspelt)
    assert api.requests == []


async def test_the_result_of_a_failed_execution_is_its_error(api: FakeApi) -> None:
    api.status, api.error = "FAILED", {"type": "Boom", "message": "no luck", "stack": "…"}
    async with client_of(api) as client:
        with pytest.raises(WorkflowFailed, match="no luck") as caught:
            await client.handle(EXECUTION).result()
    assert (caught.value.code, caught.value.error_type, caught.value.id) == ("WORKFLOW_FAILED", "Boom", EXECUTION)


async def test_the_result_of_an_execution_that_took_too_long_is_a_timeout_of_its_own(api: FakeApi) -> None:
    api.status, api.error = "FAILED", {"type": "WorkflowTimeout", "message": "too long"}
    async with client_of(api) as client:
        with pytest.raises(WorkflowFailed) as user_error:
            await client.handle(EXECUTION).result()
        api.failure_type = "TIMEOUT"
        with pytest.raises(WorkflowTimeout, match="too long") as caught:
            await client.handle(EXECUTION).result()
    assert type(user_error.value) is WorkflowFailed
    assert caught.value.code == "WORKFLOW_TIMEOUT"


def test_a_result_waits_by_long_poll_until_the_end(api: FakeApi) -> None:
    api.types, api.status, api.output = FAILING_TASK[:3], "WAITING", 42
    waits = 0

    def finish_at_the_second_wait(request: httpx2.Request) -> httpx2.Response:
        nonlocal waits
        waits += request.url.params.get("wait") == "20"
        if waits == 2:
            api.types, api.status = FAILING_TASK, "COMPLETED"
        return api.handle(request)

    transport = httpx2.MockTransport(finish_at_the_second_wait)
    with SyncClient("http://server", "key", "acme", transport=transport) as client:
        assert client.handle(EXECUTION).result() == 42
    assert [request.url.params.get("after") for request in api.requests] == [None, "3", "3", None]


async def test_the_result_of_an_execution_that_continued_is_its_successors(
    api: FakeApi, sync_client: SyncClient
) -> None:
    api.continued_as, api.output = f"{EXECUTION}.n1", 42
    assert sync_client.handle(EXECUTION).result() == 42
    async with client_of(api) as client:
        assert await client.handle(EXECUTION).result() == 42
        with pytest.raises(ValueError, match="has continued as"):
            (await client.get(EXECUTION)).result()


def test_a_result_that_does_not_come_in_time_is_a_timeout(api: FakeApi, sync_client: SyncClient) -> None:
    api.types, api.status = FAILING_TASK[:3], "WAITING"
    with pytest.raises(TimeoutError, match="still open after 0 s"):
        sync_client.handle(EXECUTION).result(timeout=0)


def test_the_environment_has_the_defaults() -> None:
    environment = {"FLOWSTRAND_URL": "https://api/", "FLOWSTRAND_API_KEY": "secret", "FLOWSTRAND_ORG": "acme"}
    connection = Connection.resolve(environment=environment)
    assert (connection.url, connection.api_key, connection.org) == ("https://api", "secret", "acme")
    assert "secret" not in repr(connection)
    local = Connection.resolve(api_key="k", environment={})
    assert (local.url, local.org) == ("http://127.0.0.1:8080", "dev")


def test_without_a_key_there_is_no_connection() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Connection.resolve(environment={})
    assert caught.value.code == "NO_API_KEY"


def test_ids_cannot_leave_their_place_in_the_path() -> None:
    connection = Connection.resolve(api_key="k", environment={})
    assert connection.path("workflow-executions", "../x") == "/api/orgs/dev/workflow-executions/..%2Fx"


def stream_of(content: bytes) -> httpx2.Response:
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=content)
