"""The clients' part about tasks: what they send, what they make of the answers, and where a task's log is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand import RetryPolicy, TaskContext, task
from flowstrand.client import Client, SyncClient
from flowstrand.errors import NotSerializable, TaskCancelled, TaskFailed, TaskTimeout, Unavailable
from flowstrand.jsonvalue import JsonObject, JsonValue

TASK = "01JDX5K7Q2ZB4M8N0P3R6T9V1W.t0"
RETRIED = ("TASK_CREATED", "TASK_STARTED", "TASK_FAILED", "TASK_STARTED", "TASK_COMPLETED")


@task(
    name="charge",
    queue="cards",
    start_to_close=30,
    priority=2,
    retry=RetryPolicy(max_attempts=3, initial=0.5, non_retryable=[ValueError]),
)
async def charge(_ctx: TaskContext, amount: int) -> int:
    return amount


@dataclass
class FakeTasks:
    """One standalone task over the routes of the contract."""

    types: tuple[str, ...] = RETRIED
    snapshot: JsonObject = field(default_factory=dict)
    requests: list[httpx2.Request] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.handle)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        if self.faults:
            raise self.faults.pop(0)
        path = request.url.path.removeprefix("/api/orgs/acme/task-executions")
        match request.method, path.removeprefix(f"/{TASK}"):
            case "POST", "":
                return httpx2.Response(201, json={"taskExecutionId": TASK, "status": "PENDING"})
            case "GET", "":
                return httpx2.Response(200, json=self._body())
            case "DELETE", "":
                return httpx2.Response(200, json={"sequence": 2})
            case "GET", "/attempts":
                return httpx2.Response(200, json=self._attempts(request.url.params.get("cursor")))
            case "GET", "/logs":
                return httpx2.Response(200, json=self._logs(request.url.params.get("cursor")))
            case "GET", "/events":
                return httpx2.Response(200, json=self._page(int(request.url.params["after"])))
            case "GET", "/stream":
                return self._stream(int(request.headers.get("last-event-id", "0")), request.url.params["format"])
            case _:
                return httpx2.Response(404, json={"error": "no such route", "code": "ROUTE_NOT_FOUND"})

    def _body(self) -> JsonObject:
        return {
            "taskExecutionId": TASK,
            "kind": "charge",
            "status": "COMPLETED",
            "queue": "cards",
            "createdAt": "2026-11-23T12:00:00.000Z",
            "executionCount": 2,
            "maxRetries": 2,
            "currentSequence": len(self.types),
            **self.snapshot,
        }

    def _attempts(self, cursor: str | None) -> JsonObject:
        number = 1 if cursor is None else 2
        attempt: JsonObject = {
            "attempt": number,
            "status": "FAILED" if number == 1 else "COMPLETED",
            "sequence": 2 * number,
            "startedAt": "2026-11-23T12:00:00.000Z",
        }
        return {"attempts": [attempt], "nextCursor": "3.0"} if cursor is None else {"attempts": [attempt]}

    def _logs(self, cursor: str | None) -> JsonObject:
        record: JsonObject = {"attempt": 1, "timestamp": "2026-11-23T12:00:00.000Z", "level": "INFO"}
        if cursor is None:
            return {"records": [{**record, "message": "a", "fields": {"order": 7}}], "nextCursor": "1.2.0"}
        return {"records": [{**record, "attempt": 2, "message": "b"}]}

    def _page(self, after: int) -> JsonObject:
        events: list[JsonValue] = [
            {"sequence": n, "type": self.types[n - 1], "timestamp": "2026-11-23T12:00:00.000Z", "data": {}}
            for n in range(after + 1, len(self.types) + 1)
        ]
        return {"events": events, "nextAfter": len(self.types), "upToDate": True, "closed": True}

    def _stream(self, after: int, format: str) -> httpx2.Response:
        if after == len(self.types):
            return httpx2.Response(204)
        frames = [self._frame(n, format) for n in range(after + 1, len(self.types) + 1)]
        return httpx2.Response(
            200, headers={"content-type": "text/event-stream"}, content="".join(frames).encode()
        )

    def _frame(self, sequence: int, format: str) -> str:
        type = self.types[sequence - 1]
        status = "PENDING" if type == "TASK_FAILED" else "COMPLETED"
        if format == "state":
            body: JsonObject = {"type": "Event", "event": type, "data": {"id": TASK, "status": status}}
            return f"id: {sequence}\nevent: data\ndata: {json.dumps(body)}\n\n"
        data: JsonObject = {"taskExecutionId": TASK, "status": status}
        event: JsonObject = {"type": type.lower().replace("_", ".", 1), "data": data}
        return f"id: {sequence}\ndata: {json.dumps(event)}\n\n"


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def api() -> FakeTasks:
    return FakeTasks(snapshot={"output": 5})


@pytest.fixture
def sync_client(api: FakeTasks) -> Iterator[SyncClient]:
    with SyncClient("http://server", "key", "acme", transport=api.transport) as client:
        yield client


def body_of(request: httpx2.Request) -> Any:
    return json.loads(request.content)


async def test_a_definition_says_on_which_terms_and_types_the_result(api: FakeTasks) -> None:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        handle = await client.start_task(charge, 5)
        assert await handle.result() == 5
    assert handle.id == TASK
    assert body_of(api.requests[0]) == {
        "kind": "charge",
        "input": 5,
        "queue": "cards",
        "startToCloseMs": 30_000,
        "priority": 2,
        "retry": {
            "maxRetries": 2,
            "initialMs": 500,
            "multiplier": 2.0,
            "maxMs": 60_000,
            "jitter": 0.2,
            "nonRetryable": ["ValueError"],
        },
    }


def test_what_the_caller_says_comes_first(api: FakeTasks, sync_client: SyncClient) -> None:
    handle = sync_client.start_task(
        charge,
        5,
        queue="other",
        timeout=timedelta(minutes=1),
        metadata={"order": "o-1"},
        idempotency_key="k",
        idempotency_key_ttl=60,
    )
    assert handle.result() == 5
    body = body_of(api.requests[0])
    assert (body["queue"], body["timeoutMs"], body["metadata"]) == ("other", 60_000, {"order": "o-1"})
    assert (body["idempotencyKey"], body["idempotencyKeyTTL"]) == ("k", "60s")


def test_a_kind_alone_is_started_with_plain_json(api: FakeTasks, sync_client: SyncClient) -> None:
    assert sync_client.start_task("charge", {"amount": 5}).result() == 5
    assert body_of(api.requests[0]) == {"kind": "charge", "input": {"amount": 5}}
    with pytest.raises(NotSerializable, match="the input of task 'charge'"):
        sync_client.start_task("charge", object())
    with pytest.raises(TypeError, match="no option retries"):
        sync_client.start_task("charge", 5, retries=3)  # type: ignore[call-overload]  # that is the point


def test_a_start_is_repeated_only_under_a_key(api: FakeTasks, sync_client: SyncClient) -> None:
    api.faults = [httpx2.ReadError("lost")]
    with pytest.raises(Unavailable):
        sync_client.start_task("charge")
    api.faults = [httpx2.ReadError("lost")]
    assert sync_client.start_task("charge", idempotency_key="k").id == TASK


@pytest.mark.parametrize(
    ("status", "failure_type", "expected"),
    [("FAILED", "ERROR", TaskFailed), ("FAILED", "TIMEOUT", TaskTimeout), ("CANCELLED", None, TaskCancelled)],
)
def test_what_did_not_complete_is_raised(
    api: FakeTasks, sync_client: SyncClient, status: str, failure_type: str | None, expected: type[Exception]
) -> None:
    error: JsonObject = {"type": "ValueError", "message": "no luck"}
    api.snapshot = {"status": status, "failureType": failure_type, "error": error}
    with pytest.raises(expected, match="no luck"):
        sync_client.task_handle(TASK).result()


async def test_an_open_task_is_waited_for_with_long_polls(api: FakeTasks) -> None:
    api.snapshot = {"status": "RUNNING", "currentSequence": 2}

    def end(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/events"):
            api.snapshot = {"output": 7}
        return api.handle(request)

    async with Client("http://server", "key", "acme", transport=httpx2.MockTransport(end)) as client:
        assert await client.task_handle(TASK).result(timeout=5) == 7
    [poll] = [request for request in api.requests if request.url.path.endswith("/events")]
    assert (poll.url.params["after"], poll.url.params["types"]) == (
        "2",
        "TASK_COMPLETED,TASK_FAILED,TASK_CANCELLED",
    )


@pytest.mark.parametrize("format", ["state", "cloudevents"])
async def test_a_stream_ends_with_the_permanent_end_and_not_with_a_failure_before(
    api: FakeTasks, format: Any
) -> None:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        seen = [event.type async for event in client.task_handle(TASK).stream(format=format)]
    assert tuple(seen) == RETRIED
    assert len(api.requests) == 1


def test_the_rest_of_a_handle(api: FakeTasks, sync_client: SyncClient) -> None:
    handle = sync_client.task_handle(TASK)
    handle.cancel(reason="late")
    assert (api.requests[-1].method, api.requests[-1].url.params["reason"]) == ("DELETE", "late")
    assert [(a.attempt, a.status) for a in handle.attempts()] == [(1, "FAILED"), (2, "COMPLETED")]
    assert [event.type for event in handle.events()] == list(RETRIED)
    assert [event.type for event in handle.stream()] == list(RETRIED)
    assert (handle.get().execution_count, handle.get().is_closed) == (2, True)


def test_what_a_task_has_logged_is_read_over_all_pages(api: FakeTasks, sync_client: SyncClient) -> None:
    first, second = sync_client.task_handle(TASK).logs(attempt=1, level="WARNING")
    assert (first.message, first.level, first.fields, first.exception) == ("a", "INFO", {"order": 7}, None)
    assert (second.message, second.attempt, second.fields) == ("b", 2, None)
    asked = [dict(request.url.params) for request in api.requests]
    filters = {"attempt": "1", "level": "WARNING"}
    assert asked == [filters, {**filters, "cursor": "1.2.0"}]


async def test_what_a_task_has_logged_is_read_asynchronously_too(api: FakeTasks) -> None:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        assert [record.message async for record in client.logs(TASK)] == ["a", "b"]
        assert [record.attempt async for record in client.task_handle(TASK).logs()] == [1, 2]
    assert dict(api.requests[0].url.params) == {}


async def test_the_rest_of_an_asynchronous_handle(api: FakeTasks) -> None:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        handle = client.task_handle(TASK)
        await handle.cancel()
        assert [a.sequence async for a in handle.attempts()] == [2, 4]
        assert [event.sequence async for event in handle.events()] == [1, 2, 3, 4, 5]
        assert (await handle.get()).output == 5
