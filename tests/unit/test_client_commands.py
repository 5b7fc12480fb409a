"""Requests of the clients that change an execution: what they send, and that repeating them is harmless."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand import Compression
from flowstrand.client import Client, Settled, SyncClient
from flowstrand.errors import Conflict, InvalidDefinition, NotSerializable, WorkflowCancelled
from tests.unit.fake_api import EXECUTION, FakeApi

BUSY = httpx2.Response(503, json={"error": "busy", "code": "BUSY"})
CLOSED = httpx2.Response(409, json={"error": "it has ended", "code": "EXECUTION_CLOSED"})


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def sync_client(api: FakeApi) -> Iterator[SyncClient]:
    with SyncClient("http://server", "key", "acme", transport=api.transport) as client:
        yield client


def sent(api: FakeApi) -> list[tuple[str, Any]]:
    """The path below the org and the body of every request."""
    return [(r.url.raw_path.decode().removeprefix("/api/orgs/acme"), json.loads(r.content)) for r in api.requests]


async def test_a_signal_carries_its_value_and_a_request_id_of_its_own(api: FakeApi) -> None:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        handle = client.handle(EXECUTION)
        assert [await handle.signal("go", {"n": 1}), await handle.signal("go")] == [5, 5]
    (path, first), (_, second) = sent(api)
    assert path == f"/workflow-executions/{EXECUTION}/signal"
    assert (first.pop("requestId") != second.pop("requestId"), first) == (
        True,
        {"signalName": "go", "signalValue": {"n": 1}},
    )


@pytest.mark.parametrize("fault", [httpx2.ReadError("lost"), BUSY], ids=["lost", "busy"])
def test_commands_are_repeated_as_the_same_request(
    api: FakeApi, sync_client: SyncClient, fault: httpx2.Response | Exception
) -> None:
    for command in (
        lambda: sync_client.handle(EXECUTION).signal("go"),
        lambda: sync_client.handle(EXECUTION).cancel(),
        lambda: sync_client.handle(EXECUTION).retry(),
        lambda: sync_client.signal_with_start("chat", "chat-7", "go"),
        lambda: sync_client.resolve_promise("p", 1),
    ):
        api.requests.clear()
        api.faults = [fault]
        command()
        first, second = sent(api)
        assert first == second


async def test_a_signal_with_start_says_what_to_start_and_what_to_say(api: FakeApi) -> None:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        handle = await client.signal_with_start(
            "chat", "chat-7", "say", "hello", input={"n": 1}, request_id="r1", queue="q", execution_timeout=60
        )
    assert (handle.id, handle.started) == (EXECUTION, {"workflowExecutionId": EXECUTION, "signalEventSequence": 2})
    assert client.handle(EXECUTION).started == {}
    [(path, body)] = sent(api)
    assert path == "/workflow-executions/signal-with-start"
    assert body == {
        "workflowId": "chat-7",
        "kind": "chat",
        "input": {"n": 1},
        "queue": "q",
        "timeoutSeconds": 60,
        "signalName": "say",
        "signalValue": "hello",
        "requestId": "r1",
    }


def test_a_refused_command_is_not_repeated(api: FakeApi, sync_client: SyncClient) -> None:
    api.faults = [CLOSED]
    with pytest.raises(Conflict) as refused:
        sync_client.signal(EXECUTION, "go")
    assert (refused.value.code, len(api.requests)) == ("EXECUTION_CLOSED", 1)


def test_a_cancel_says_how(api: FakeApi, sync_client: SyncClient) -> None:
    sync_client.handle(EXECUTION).cancel(reason="no more", cascade=False, force=True)
    ((path, body),) = sent(api)
    assert body.pop("requestId")
    assert path == f"/workflow-executions/{EXECUTION}/cancel"
    assert body == {"reason": "no more", "cascadeToChildren": False, "force": True}


async def test_a_retry_gives_the_handle_of_the_execution_that_goes_on(
    api: FakeApi, sync_client: SyncClient
) -> None:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        handle = await client.handle(EXECUTION).retry(reason="fixed", request_id="r1")
    assert handle.id == sync_client.retry(EXECUTION, reason="fixed", request_id="r1").id
    assert handle.id == f"{EXECUTION}.r0123456789abcdef"
    request = (f"/workflow-executions/{EXECUTION}/retry", {"reason": "fixed", "requestId": "r1"})
    assert sent(api) == [request, request]


async def test_promises_are_settled_by_id_or_by_key(api: FakeApi) -> None:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        assert await client.resolve_promise("e.p1", "yes") == Settled(sequence=7, already_settled=False)
        assert await client.reject_promise(key="order 7/8", message="no", type="TooExpensive") == Settled(
            sequence=7, already_settled=True
        )
    assert sent(api) == [
        ("/promises/e.p1/resolve", {"value": "yes"}),
        ("/promises/key%3Aorder%207%2F8/reject", {"error": {"type": "TooExpensive", "message": "no"}}),
    ]


def test_a_promise_needs_one_name(api: FakeApi, sync_client: SyncClient) -> None:
    with pytest.raises(InvalidDefinition):
        sync_client.resolve_promise()
    with pytest.raises(InvalidDefinition):
        sync_client.reject_promise("e.p1", key="k")
    assert api.requests == []


def test_what_is_no_json_is_not_sent(api: FakeApi, sync_client: SyncClient) -> None:
    for send in (
        lambda: sync_client.signal(EXECUTION, "go", object()),
        lambda: sync_client.signal_with_start("chat", "chat-7", "go", object()),
        lambda: sync_client.signal_with_start("chat", "chat-7", "go", input=object()),
        lambda: sync_client.resolve_promise("p", object()),
    ):
        with pytest.raises(NotSerializable):
            send()
    assert api.requests == []


def test_values_go_through_the_clients_codec(api: FakeApi) -> None:
    with SyncClient("http://server", "key", "acme", transport=api.transport, codec=Compression()) as client:
        client.signal(EXECUTION, "go", "x" * 5_000)
        client.resolve_promise("p", "x" * 5_000)
    (_, signal), (_, promise) = sent(api)
    assert signal["signalValue"]["codecs"] == promise["value"]["codecs"]


def test_the_result_of_a_cancelled_execution_is_its_cancellation(api: FakeApi, sync_client: SyncClient) -> None:
    api.types, api.status = (*api.types[:-1], "WORKFLOW_CANCELLED"), "CANCELLED"
    api.error = {"type": "WorkflowCancelled", "message": "no more"}
    with pytest.raises(WorkflowCancelled, match="no more"):
        sync_client.handle(EXECUTION).result()
