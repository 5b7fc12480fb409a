"""Listing executions from the clients: what they ask for, page by page, and what they tell."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx2
import pytest

from flowstrand.client import Client, ListedExecution, SyncClient
from flowstrand.errors import InvalidDefinition, InvalidInput
from flowstrand.jsonvalue import JsonObject
from tests.unit.fake_api import FakeApi

WAITING: JsonObject = {
    "workflowExecutionId": "e2",
    "kind": "order",
    "status": "WAITING",
    "createdAt": "2026-11-23T12:00:01.000Z",
    "updatedAt": "2026-11-23T12:00:02.000Z",
    "currentSequence": 3,
    "queue": "default",
    "links": {},
    "metadata": {"customer": "c-1042"},
    "suspendType": "TASK",
}
FAILED: JsonObject = {
    "workflowExecutionId": "e1",
    "kind": "order",
    "status": "FAILED",
    "createdAt": "2026-11-23T12:00:00.000Z",
    "updatedAt": "2026-11-23T12:00:09.000Z",
    "closedAt": "2026-11-23T12:00:09.000Z",
    "currentSequence": 7,
    "queue": "slow",
    "links": {},
    "version": "v2",
    "parentWorkflowExecutionId": "e0",
    "failureType": "ERROR",
    "retriedFrom": "e-1",
}
PAGES = [
    {"executions": [WAITING], "nextCursor": "abc"},
    {"executions": [], "nextCursor": "def"},
    {"executions": [FAILED]},
]


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


def asked(api: FakeApi) -> list[dict[str, str]]:
    assert {request.url.path for request in api.requests} == {"/api/orgs/acme/workflow-executions"}
    return [dict(request.url.params) for request in api.requests]


async def test_executions_come_from_every_page_even_behind_an_empty_one(
    api: FakeApi, client: Client, sync_client: SyncClient
) -> None:
    answers(api, *PAGES, *PAGES)
    found = [one async for one in client.executions(kind="order")]
    assert [one.id for one in found] == ["e2", "e1"]
    assert list(sync_client.executions(kind="order")) == found
    assert asked(api)[:3] == [
        {"kind": "order"},
        {"kind": "order", "cursor": "abc"},
        {"kind": "order", "cursor": "def"},
    ]


def test_an_execution_is_told_with_all_that_is_known(api: FakeApi, sync_client: SyncClient) -> None:
    answers(api, {"executions": [WAITING, FAILED]})
    waiting, failed = sync_client.executions()
    assert (waiting.status, waiting.suspend_type, waiting.closed_at) == ("WAITING", "TASK", None)
    assert (waiting.metadata, waiting.body) == ({"customer": "c-1042"}, WAITING)
    assert failed == ListedExecution(
        id="e1",
        kind="order",
        status="FAILED",
        created_at="2026-11-23T12:00:00.000Z",
        updated_at="2026-11-23T12:00:09.000Z",
        closed_at="2026-11-23T12:00:09.000Z",
        current_sequence=7,
        queue="slow",
        version="v2",
        metadata=None,
        parent_id="e0",
        suspend_type=None,
        failure_type="ERROR",
        continued_as=None,
        retried_from="e-1",
        body=FAILED,
    )


def test_every_filter_is_sent(api: FakeApi, sync_client: SyncClient) -> None:
    answers(api, {"executions": []})
    berlin = timezone(timedelta(hours=1))
    list(
        sync_client.executions(
            status="FAILED",
            kind="order",
            metadata={"customer": "c-1042", "vip": "true"},
            created_after=datetime(2026, 11, 23, 13, tzinfo=berlin),
            created_before="2026-11-24T00:00:00Z",
            page_size=7,
        )
    )
    assert asked(api) == [
        {
            "status": "FAILED",
            "kind": "order",
            "metadata.customer": "c-1042",
            "metadata.vip": "true",
            "createdAfter": "2026-11-23T13:00:00+01:00",
            "createdBefore": "2026-11-24T00:00:00Z",
            "limit": "7",
        }
    ]


def test_nothing_is_asked_for_before_it_is_needed(api: FakeApi, sync_client: SyncClient) -> None:
    answers(api, *PAGES)
    assert next(sync_client.executions()).id == "e2"
    assert len(api.requests) == 1


def test_a_moment_without_a_time_zone_and_an_unknown_option_are_refused(sync_client: SyncClient) -> None:
    with pytest.raises(InvalidDefinition):
        sync_client.executions(created_after=datetime(2026, 11, 23, tzinfo=UTC).replace(tzinfo=None))
    with pytest.raises(TypeError, match="state"):
        sync_client.executions(state="FAILED")  # type: ignore[call-arg]  # that is what is tested


def test_a_refusal_is_raised(api: FakeApi, sync_client: SyncClient) -> None:
    api.faults = [httpx2.Response(400, json={"error": "no", "code": "INVALID_CURSOR"})]
    with pytest.raises(InvalidInput) as refused:
        list(sync_client.executions())
    assert refused.value.code == "INVALID_CURSOR"
