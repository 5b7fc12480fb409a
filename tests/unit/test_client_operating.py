"""What operators ask of the clients: workers, and queues with their limits."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest

from flowstrand.client import Client, SyncClient
from flowstrand.jsonvalue import JsonObject
from tests.unit.fake_api import FakeApi

MOMENT = "2026-11-23T09:00:00.000Z"
WORKER: JsonObject = {
    "workerId": "w",
    "name": "shop",
    "queues": ["default"],
    "taskKinds": ["pay"],
    "workflowKinds": [],
    "state": "RUNNING",
    "registeredAt": MOMENT,
    "lastSeenAt": MOMENT,
}
LIMITED: JsonObject = {"queue": "slow", "state": "PAUSED", "maxConcurrent": 5, "running": 2, "changedAt": MOMENT}


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


async def test_workers_are_listed(api: FakeApi, client: Client, sync_client: SyncClient) -> None:
    answers(api, *[{"workers": [WORKER]}] * 2)
    found = [[worker async for worker in client.workers()], list(sync_client.workers())]
    assert [(w.id, w.name, w.queues, w.task_kinds, w.version) for [w] in found] == [
        ("w", "shop", ("default",), ("pay",), None)
    ] * 2


async def test_queues_are_looked_after(api: FakeApi, client: Client, sync_client: SyncClient) -> None:
    answers(api, *[{"queues": [LIMITED]}, *[LIMITED] * 4] * 2)
    assert [queue.name async for queue in client.queues.list()] == ["slow"]
    shown = [
        await client.queues.get("slow"),
        await client.queues.pause("slow"),
        await client.queues.resume("slow"),
    ]
    shown.append(await client.queues.limit("slow", max_concurrent=5))
    assert {(queue.state, queue.max_concurrent, queue.running) for queue in shown} == {("PAUSED", 5, 2)}
    assert [queue.name for queue in sync_client.queues.list()] == ["slow"]
    sync_client.queues.get("slow")
    sync_client.queues.pause("slow")
    sync_client.queues.resume("slow")
    sync_client.queues.limit("slow", max_tasks_per_second=0.5, max_concurrent=None)
    changes = [(r.method, json.loads(r.content)) for r in api.requests if r.content]
    assert changes == [
        ("PUT", {"paused": True}),
        ("PUT", {"paused": False}),
        ("PUT", {"maxConcurrent": 5}),
        ("PUT", {"paused": True}),
        ("PUT", {"paused": False}),
        ("PUT", {"maxTasksPerSecond": 0.5, "maxConcurrent": None}),
    ]
