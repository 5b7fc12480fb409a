"""Schedules from the client and the command line: what is sent, what is shown, what is repeated."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx2
import pytest
import stamina
from typer.testing import CliRunner

from flowstrand.cli import connecting
from flowstrand.cli.program import program
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
    fake = FakeApi()
    monkeypatch.setattr(connecting, "SyncClient", partial(SyncClient, transport=fake.transport))
    monkeypatch.setenv("FLOWSTRAND_API_KEY", "key")
    for name in ("FLOWSTRAND_URL", "FLOWSTRAND_ORG"):
        monkeypatch.delenv(name, raising=False)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield fake


def sent(api: FakeApi) -> list[tuple[str, str]]:
    """Method and path below the org of every request."""
    return [(r.method, r.url.raw_path.decode().removeprefix("/api/orgs/dev/schedules")) for r in api.requests]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(program, ["schedule", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


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
    api.faults = [answer(NIGHTLY), answer({**NIGHTLY, "status": "PAUSED"}), answer(NIGHTLY), answer({})]
    async with Client(transport=api.transport) as client:
        assert (await client.schedules.get("nightly")).status == "ACTIVE"
        assert (await client.schedules.pause("nightly")).status == "PAUSED"
        assert (await client.schedules.resume("nightly")).status == "ACTIVE"
        await client.schedules.delete("nightly")
    assert sent(api) == [
        ("GET", "/nightly"),
        ("POST", "/nightly/pause"),
        ("POST", "/nightly/resume"),
        ("DELETE", "/nightly"),
    ]


# --- the command line -------------------------------------------------------------------------------


LINE = "nightly  ACTIVE  report  0 2 * * *  2026-11-24T02:00:00.000Z\n"


def test_create_prints_the_schedule_on_a_line(api: FakeApi) -> None:
    api.faults = [answer(NIGHTLY, 201)]
    options = ["--cron", "0 2 * * *", "--time-zone", "Europe/Berlin", "--overlap", "BUFFER_ONE", "--input", "[1]"]
    assert run("create", "nightly", "report", *options) == LINE
    body = json.loads(api.requests[0].content)
    assert (body["cron"], body["timeZone"], body["overlapPolicy"], body["input"]) == (
        "0 2 * * *",
        "Europe/Berlin",
        "BUFFER_ONE",
        [1],
    )


@pytest.mark.parametrize("timing", [[], ["--cron", "* * * * *", "--at", "2027-01-01T00:00:00Z"]])
def test_create_without_one_timing_is_wrong_usage(api: FakeApi, timing: list[str]) -> None:
    assert CliRunner().invoke(program, ["schedule", "create", "s", "report", *timing]).exit_code == 2
    assert api.requests == []


def test_create_takes_one_moment(api: FakeApi) -> None:
    api.faults = [answer({**NIGHTLY, "cron": None, "at": "2027-01-01T00:00:00.000Z", "nextRunAt": None}, 201)]
    assert run("create", "s", "report", "--at", "2027-01-01T00:00:00Z").endswith("2027-01-01T00:00:00.000Z  -\n")


def test_schedules_and_runs_are_a_line_each_or_an_object_each(api: FakeApi) -> None:
    api.faults = [
        answer({"schedules": [NIGHTLY]}),
        answer({"runs": [RUN, SKIPPED]}),
        answer({"runs": [RUN, SKIPPED]}),
    ]
    assert run("list") == LINE
    assert run("runs", "nightly") == "2026-11-23T02:00:00.000Z  STARTED  e1\n2026-11-22T02:00:00.000Z  SKIPPED\n"
    [only] = run("runs", "nightly", "--limit", "1", "--json").splitlines()
    assert json.loads(only) == {
        "scheduledAt": RUN["scheduledAt"],
        "outcome": "STARTED",
        "workflowExecutionId": "e1",
    }


def test_the_other_verbs(api: FakeApi) -> None:
    api.faults = [
        answer(NIGHTLY),
        answer(NIGHTLY),
        answer(NIGHTLY),
        answer({"outcome": "STARTED", "workflowExecutionId": "e2"}),
        answer({}),
    ]
    assert json.loads(run("get", "nightly")) == NIGHTLY
    assert json.loads(run("pause", "nightly", "--json")) == NIGHTLY
    assert run("resume", "nightly") == LINE
    assert run("trigger", "nightly") == "STARTED  e2\n"
    assert run("delete", "nightly") == ""
    assert len(sent(api)) == 5
