"""What the clients tell of executions and definitions: page by page, decoded, and with everything that the API says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

import httpx2
import pytest

from flowstrand import Compression
from flowstrand.client import Client, SyncClient
from flowstrand.jsonvalue import JsonObject
from flowstrand.sdk.payload_codecs import PayloadCodecs
from tests.unit.fake_api import EXECUTION, FakeApi

T = TypeVar("T")

OPEN: JsonObject = {
    "taskExecutionId": "e.t2",
    "kind": "pay",
    "status": "RUNNING",
    "executionCount": 2,
    "maxRetries": 3,
    "sequence": 7,
    "queue": "default",
    "workerId": "w1",
    "progress": 0.5,
    "lastHeartbeatAt": "2026-11-23T09:00:00.000Z",
}
FAILED: JsonObject = {
    "taskExecutionId": "e.t1",
    "kind": "pay",
    "status": "FAILED",
    "executionCount": 4,
    "maxRetries": 3,
    "sequence": 5,
    "error": {"type": "Boom", "message": "no luck"},
    "failureType": "ERROR",
}
CHILD: JsonObject = {
    "childWorkflowId": "e.c1",
    "kind": "ship",
    "name": "ship-1",
    "status": "RUNNING",
    "sequence": 4,
    "queue": "default",
}
KNOWN: JsonObject = {"kind": "pay", "deployed": False, "queue": "slow", "registeredAt": "2026-11-23T09:00:00.000Z"}


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def sync_client(api: FakeApi) -> Iterator[SyncClient]:
    with SyncClient("http://server", "key", "acme", transport=api.transport) as client:
        yield client


@pytest.fixture
async def client(api: FakeApi) -> AsyncIterator[Client]:
    async with Client("http://server", "key", "acme", transport=api.transport) as client:
        yield client


def answers(api: FakeApi, *bodies: Any) -> None:
    api.faults = [httpx2.Response(200, json=body) for body in bodies]


def asked(api: FakeApi) -> list[str]:
    return [request.url.raw_path.decode().removeprefix("/api/orgs/acme/") for request in api.requests]


async def all_of(items: AsyncIterator[T]) -> list[T]:
    return [item async for item in items]


async def test_tasks_come_from_every_page(api: FakeApi, client: Client, sync_client: SyncClient) -> None:
    pages = [{"tasks": [OPEN], "nextCursor": "ended.0"}, {"tasks": [FAILED]}]
    answers(api, *pages, *pages)
    for tasks in (await all_of(client.handle("e").tasks()), list(sync_client.handle("e").tasks())):
        assert [(task.id, task.status, task.queue, task.worker_id) for task in tasks] == [
            ("e.t2", "RUNNING", "default", "w1"),
            ("e.t1", "FAILED", None, None),
        ]
        assert [task.progress for task in tasks] == [0.5, None]
        assert tasks[0].last_heartbeat_at == OPEN["lastHeartbeatAt"]
        assert (tasks[1].error, tasks[1].body) == (FAILED["error"], FAILED)
    path = "workflow-executions/e/tasks"
    assert asked(api) == [path, f"{path}?cursor=ended.0"] * 2


async def test_children_may_be_only_the_open_ones(api: FakeApi, client: Client, sync_client: SyncClient) -> None:
    answers(api, *[{"children": [CHILD]}] * 2)
    found = [await all_of(client.children("e", only="open")), list(sync_client.children("e", only="open"))]
    assert [(child.id, child.name, child.status) for [child] in found] == [("e.c1", "ship-1", "RUNNING")] * 2
    assert asked(api) == ["workflow-executions/e/children?status=open"] * 2


async def test_definitions_come_from_every_page(api: FakeApi, client: Client, sync_client: SyncClient) -> None:
    pages = [{"definitions": [KNOWN], "nextAfter": "pay"}, {"definitions": [{"kind": "ship", "deployed": True}]}]
    answers(api, *pages, *pages)
    for found in (await all_of(client.task_definitions()), list(sync_client.workflow_definitions())):
        assert [(known.kind, known.is_deployed, known.queue) for known in found] == [
            ("pay", False, "slow"),
            ("ship", True, None),
        ]
    assert asked(api) == [
        "task-definitions",
        "task-definitions?after=pay",
        "workflow-definitions",
        "workflow-definitions?after=pay",
    ]


async def test_state_is_decoded(api: FakeApi) -> None:
    encoded = PayloadCodecs.of(Compression()).to_wire("x" * 5_000)
    assert encoded != "x" * 5_000
    answers(api, *[{"state": {"note": encoded, "count": 2}}] * 2)
    async with Client("http://server", "key", "acme", transport=api.transport, codec=Compression()) as client:
        assert await client.handle(EXECUTION).state() == {"note": "x" * 5_000, "count": 2}
    with SyncClient("http://server", "key", "acme", transport=api.transport, codec=Compression()) as client_:
        assert client_.handle(EXECUTION).state("note")["note"] == "x" * 5_000
    path = f"workflow-executions/{EXECUTION}/state"
    assert asked(api) == [path, f"{path}?key=note"]


def test_an_execution_has_everything_that_the_api_says(api: FakeApi, sync_client: SyncClient) -> None:
    answers(api, body := {"workflowExecutionId": "e", "kind": "k", "status": "PENDING", "links": {"self": "/e"}})
    assert sync_client.get("e").body == body
