"""Schedules from the client: what is sent, and what is repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand.client import Client, ScheduleRun, SyncClient
from flowstrand.errors import InvalidDefinition, Unavailable
from tests.unit.fake_api import FakeApi

NIGHTLY = {
    "scheduleId": "nightly",
    "status": "ACTIVE",
    "kind": "report",
    "cron": "0 2 * * *",
    "timeZone": "UTC",
    "overlapPolicy": "SKIP",
    "missedRunPolicy": "RUN_ONCE",
    "nextRunAt": "2026-11-24T02:00:00.000Z",
    "lastRun": {"workflowExecutionId": "e1", "scheduledAt": "2026-11-23T02:00:00.000Z"},
}
RUN = {
    "scheduledAt": "2026-11-23T02:00:00.000Z",
    "outcome": "STARTED",
    "triggered": False,
    "workflowExecutionId": "e1",
}
SKIPPED = {"scheduledAt": "2026-11-22T02:00:00.000Z", "outcome": "SKIPPED", "triggered": True}


def answer(body: Any, status: int = 200) -> httpx2.Response:
    return httpx2.Response(status, json=body)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    monkeypatch.setenv("FLOWSTRAND_API_KEY", "key")
    for name in ("FLOWSTRAND_URL", "FLOWSTRAND_ORG"):
        monkeypatch.delenv(name, raising=False)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield FakeApi()


def sent(api: FakeApi) -> list[tuple[str, str]]:
    """Method and path below the org of every request."""
    return [(r.method, r.url.raw_path.decode().removeprefix("/api/orgs/dev/schedules")) for r in api.requests]


async def test_a_schedule_is_created_with_its_options_and_those_of_its_runs(api: FakeApi) -> None:
    api.faults = [answer(NIGHTLY, 201), answer(NIGHTLY, 201)]
    async with Client(transport=api.transport) as client:
        created = await client.schedules.create(
            "nightly",
            "report",
            {"n": 1},
            cron="0 2 * * *",
            overlap_policy="ALLOW",
            start={"execution_timeout": 60},
        )
        await client.schedules.create(None, "report", at=datetime(2027, 1, 1, tzinfo=UTC), catch_up_limit=3)
    assert (created.id, created.last_execution_id, created.waiting_execution_id) == ("nightly", "e1", None)
    first, second = (json.loads(request.content) for request in api.requests)
    assert first == {
        "scheduleId": "nightly",
        "kind": "report",
        "input": {"n": 1},
        "queue": "default",
        "cron": "0 2 * * *",
        "overlapPolicy": "ALLOW",
        "timeoutSeconds": 60,
    }
    assert second == {
        "kind": "report",
        "input": None,
        "queue": "default",
        "at": "2027-01-01T00:00:00+00:00",
        "catchUpLimit": 3,
    }


@pytest.mark.parametrize("revision", [None, 3])
def test_a_change_is_sent_whole_and_may_be_repeated(api: FakeApi, revision: int | None) -> None:
    api.faults = [answer({"error": "busy", "code": "BUSY"}, 503), answer({**NIGHTLY, "revision": 4})]
    with SyncClient(transport=api.transport) as client:
        changed = client.schedules.update("nightly", "report", 1, expected_revision=revision, cron="0 4 * * *")
    assert changed.revision == 4
    assert sent(api) == [("PUT", "/nightly")] * 2
    given = {} if revision is None else {"expectedRevision": revision}
    expected = {"kind": "report", "input": 1, "queue": "default", "cron": "0 4 * * *", **given}
    assert [json.loads(request.content) for request in api.requests] == [expected] * 2


def test_what_makes_no_sense_is_not_sent(api: FakeApi) -> None:
    with SyncClient(transport=api.transport) as client:
        with pytest.raises(InvalidDefinition):
            client.schedules.create("s", "report", at=datetime(2027, 1, 1))  # noqa: DTZ001 - a moment without a zone
        with pytest.raises(TypeError, match="colour"):
            client.schedules.create("s", "report", colour="red")  # type: ignore[call-arg]  # there is no such option
    assert api.requests == []


async def test_pages_are_followed_to_the_last(api: FakeApi) -> None:
    api.faults = [
        answer({"schedules": [NIGHTLY], "nextAfter": "nightly"}),
        answer({"schedules": [{**NIGHTLY, "scheduleId": "weekly"}]}),
        answer({"runs": [RUN], "nextAfter": "x"}),
        answer({"runs": [SKIPPED]}),
    ]
    async with Client(transport=api.transport) as client:
        assert [one.id async for one in client.schedules.list()] == ["nightly", "weekly"]
        runs = [one async for one in client.schedules.runs("nightly")]
    assert [(one.outcome, one.execution_id, one.is_triggered) for one in runs] == [
        ("STARTED", "e1", False),
        ("SKIPPED", None, True),
    ]
    assert [path for _, path in sent(api)] == ["", "?after=nightly", "/nightly/runs", "/nightly/runs?after=x"]


def test_a_trigger_is_repeated_as_the_same_request_and_a_creation_is_not_repeated(api: FakeApi) -> None:
    busy = answer({"error": "busy", "code": "BUSY"}, 503)
    with SyncClient(transport=api.transport) as client:
        api.faults = [busy, answer({"outcome": "WAITING", "workflowExecutionId": "e2"})]
        assert client.schedules.trigger("nightly") == ScheduleRun(outcome="WAITING", execution_id="e2")
        first, second = (json.loads(request.content) for request in api.requests)
        assert first == second
        api.requests.clear()
        api.faults = [busy, answer(NIGHTLY, 201)]
        with pytest.raises(Unavailable):
            client.schedules.create("nightly", "report", cron="0 2 * * *")
        assert len(api.requests) == 1


async def test_a_schedule_is_looked_after(api: FakeApi) -> None:
    api.faults = [
        answer(NIGHTLY),
        answer({**NIGHTLY, "revision": 2}),
        answer({**NIGHTLY, "status": "PAUSED"}),
        answer(NIGHTLY),
        answer({}),
    ]
    async with Client(transport=api.transport) as client:
        assert (await client.schedules.get("nightly")).status == "ACTIVE"
        assert (await client.schedules.update("nightly", "report", cron="0 2 * * *")).revision == 2
        assert (await client.schedules.pause("nightly")).status == "PAUSED"
        assert (await client.schedules.resume("nightly")).status == "ACTIVE"
        await client.schedules.delete("nightly")
    assert sent(api) == [
        ("GET", "/nightly"),
        ("PUT", "/nightly"),
        ("POST", "/nightly/pause"),
        ("POST", "/nightly/resume"),
        ("DELETE", "/nightly"),
    ]
