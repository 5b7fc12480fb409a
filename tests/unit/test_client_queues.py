"""Queues and workers from the client: what is sent, and what is made of the answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand.client import Client, SyncClient
from tests.unit.fake_api import FakeApi

ACTIVE = {"queue": "default", "state": "ACTIVE"}
LIMITED = {
    "queue": "mail",
    "state": "PAUSED",
    "maxTasksPerSecond": 4,
    "maxConcurrent": 2,
    "running": 1,
    "changedAt": "2026-11-23T12:00:00.000Z",
}
WORKER = {
    "workerId": "w-1",
    "name": "w",
    "queues": ["default", "mail"],
    "taskKinds": ["charge"],
    "workflowKinds": [],
    "state": "RUNNING",
    "registeredAt": "2026-11-23T12:00:00.000Z",
    "lastSeenAt": "2026-11-23T12:05:00.000Z",
}


def answer(body: Any) -> httpx2.Response:
    return httpx2.Response(200, json=body)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setenv("FLOWSTRAND_API_KEY", "key")
    for name in ("FLOWSTRAND_URL", "FLOWSTRAND_ORG"):
        monkeypatch.delenv(name, raising=False)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield FakeApi()


def sent(api: FakeApi) -> list[tuple[str, str, Any]]:
    """Method, path below the org and body of every request."""
    return [
        (r.method, r.url.raw_path.decode().removeprefix("/api/orgs/dev"), json.loads(r.content or b"null"))
        for r in api.requests
    ]


async def test_a_queue_is_paused_resumed_and_limited(api: FakeApi) -> None:
    api.faults = [answer(LIMITED), answer(ACTIVE), answer(LIMITED), answer(LIMITED), answer(LIMITED)]
    async with Client(transport=api.transport) as client:
        paused = await client.queues.pause("mail")
        resumed = await client.queues.resume("mail")
        await client.queues.limit("mail", max_tasks_per_second=4, max_concurrent=2)
        await client.queues.limit("mail", max_concurrent=None)
        await client.queues.get("mail")

    assert (paused.state, paused.max_concurrent, paused.running) == ("PAUSED", 2, 1)
    assert (resumed.state, resumed.max_tasks_per_second, resumed.changed_at) == ("ACTIVE", None, None)
    assert sent(api) == [
        ("PUT", "/queues/mail", {"paused": True}),
        ("PUT", "/queues/mail", {"paused": False}),
        ("PUT", "/queues/mail", {"maxTasksPerSecond": 4, "maxConcurrent": 2}),
        ("PUT", "/queues/mail", {"maxConcurrent": None}),
        ("GET", "/queues/mail", None),
    ]


def test_a_limit_that_there_is_not_is_not_sent(api: FakeApi) -> None:
    with SyncClient(transport=api.transport) as client, pytest.raises(TypeError, match="colour"):
        client.queues.limit("mail", colour=3)  # type: ignore[call-arg]  # there is no such limit
    assert api.requests == []


async def test_pages_of_queues_and_workers_are_followed_to_the_last(api: FakeApi) -> None:
    api.faults = [
        answer({"queues": [ACTIVE], "nextAfter": "default"}),
        answer({"queues": [LIMITED]}),
        answer({"workers": [], "nextAfter": "a"}),
        answer({"workers": [WORKER]}),
    ]
    async with Client(transport=api.transport) as client:
        assert [one.name async for one in client.queues.list()] == ["default", "mail"]
        (worker,) = [one async for one in client.workers.list(queue="mail")]

    assert (worker.id, worker.queues, worker.version) == ("w-1", ("default", "mail"), None)
    paths = [path for _, path, _ in sent(api)]
    assert paths == ["/queues", "/queues?after=default", "/workers?queue=mail", "/workers?queue=mail&after=a"]


def test_the_synchronous_client_asks_the_same(api: FakeApi) -> None:
    api.faults = [
        answer(LIMITED),
        answer(ACTIVE),
        answer(LIMITED),
        answer(LIMITED),
        answer({"queues": [ACTIVE], "nextAfter": "default"}),
        answer({"queues": []}),
        answer({"workers": [WORKER], "nextAfter": "w-1"}),
        answer({"workers": []}),
    ]
    with SyncClient(transport=api.transport) as client:
        assert client.queues.pause("mail").state == "PAUSED"
        assert client.queues.resume("mail").state == "ACTIVE"
        assert client.queues.limit("mail", max_concurrent=2).max_concurrent == 2
        assert client.queues.get("mail").name == "mail"
        assert [one.name for one in client.queues.list()] == ["default"]
        assert [one.id for one in client.workers.list()] == ["w-1"]
    assert [(method, path) for method, path, _ in sent(api)] == [
        ("PUT", "/queues/mail"),
        ("PUT", "/queues/mail"),
        ("PUT", "/queues/mail"),
        ("GET", "/queues/mail"),
        ("GET", "/queues"),
        ("GET", "/queues?after=default"),
        ("GET", "/workers"),
        ("GET", "/workers?after=w-1"),
    ]
