"""Following executions: their events, in order, as lines or as JSON lines."""

from __future__ import annotations

import json

import httpx2
import pytest
from typer.testing import CliRunner

from flowstrand.cli.event_line import event_line
from flowstrand.cli.program import program
from tests.unit.cli.cases import STANDALONE
from tests.unit.fake_api import EXECUTION, FAILING_TASK, FakeApi

RUNNER = CliRunner()


def test_events_prints_a_line_per_event_in_order(api: FakeApi) -> None:
    result = RUNNER.invoke(program, ["events", EXECUTION, "--after", "2"])
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert [line.split()[0] for line in lines] == ["3", "4", "5", "6", "7"]
    assert [line.split()[2] for line in lines] == list(FAILING_TASK[2:])


def test_events_may_be_of_some_types(api: FakeApi) -> None:
    api.page_size = 3
    result = RUNNER.invoke(
        program, ["events", EXECUTION, "--type", "TASK_CREATED", "--type", "WORKFLOW_COMPLETED", "--json"]
    )
    shown = [json.loads(line)["type"] for line in result.stdout.splitlines()]
    assert shown == ["TASK_CREATED", "WORKFLOW_COMPLETED"]
    assert {request.url.params["types"] for request in api.requests} == {"TASK_CREATED,WORKFLOW_COMPLETED"}


@pytest.mark.parametrize("command", ["events", "tail"])
def test_json_is_one_object_per_line(api: FakeApi, command: str) -> None:
    result = RUNNER.invoke(program, [command, EXECUTION, "--json"])
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(event["sequence"], event["type"]) for event in shown] == list(enumerate(FAILING_TASK, 1))
    assert all("timestamp" in event and "data" in event for event in shown)


def test_tail_follows_over_cut_connections(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowstrand.client.stream._DEFAULT_PAUSE_S", 0.0)
    api.cuts = [200, 30, 400]
    result = RUNNER.invoke(program, ["tail", EXECUTION])
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["1", "2", "3", "4", "5", "6", "7"]


def test_tail_follows_a_task_too(api: FakeApi) -> None:
    result = RUNNER.invoke(program, ["task", "tail", STANDALONE, "--after", "2", "--json"])
    assert [json.loads(line)["sequence"] for line in result.stdout.splitlines()] == [3, 4, 5, 6, 7]
    assert api.requests[0].url.path == f"/api/orgs/dev/task-executions/{STANDALONE}/stream"


def test_feed_follows_an_org_and_says_whose_event_each_is(api: FakeApi) -> None:
    api.faults = feed_answers()
    result = RUNNER.invoke(program, ["feed", "--after", "now", "--type", "task.*", "--type", "TIMER_FIRED"])
    first, second = (line.split() for line in result.stdout.splitlines())
    assert (*first[:2], first[3]) == ("e1", "8", "TASK_FAILED")
    assert (*second[:2], second[3]) == ("e2", "9", "WORKFLOW_STARTED")
    assert "FEED_EXPIRED" in result.stderr
    assert dict(api.requests[0].url.params) == {"after": "now", "types": "task.*,TIMER_FIRED"}
    assert "last-event-id" not in api.requests[0].headers
    assert api.requests[1].headers["last-event-id"] == "9"


def test_feed_is_one_object_per_line(api: FakeApi) -> None:
    api.faults = feed_answers()
    result = RUNNER.invoke(program, ["feed", "--after", "7", "--json"])
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["position"], one["log"], one["sequence"], one["type"]) for one in shown] == [
        (8, "e1", 5, "TASK_FAILED"),
        (9, "e2", 1, "WORKFLOW_STARTED"),
    ]
    assert api.requests[0].headers["last-event-id"] == "7"


@pytest.mark.parametrize("after", ["-1", "then", "1.5", "\u0661"])
def test_feed_begins_at_a_position_or_now(api: FakeApi, after: str) -> None:
    result = RUNNER.invoke(program, ["feed", "--after", after])
    assert result.exit_code == 2
    assert api.requests == []


def feed_answers() -> list[httpx2.Response | Exception]:
    """Two events, and then what follows is no longer kept: else there would be no end."""
    frames = "".join(
        f"id: {position}\nevent: data\ndata: {json.dumps(body)}\n\n"
        for position, body in (
            (
                8,
                {
                    "event": "TASK_FAILED",
                    "data": {},
                    "timestampMs": 1_795_424_400_000,
                    "workflowExecutionId": "e1",
                    "sequence": 5,
                },
            ),
            (
                9,
                {
                    "event": "WORKFLOW_STARTED",
                    "data": {},
                    "timestampMs": 0,
                    "workflowExecutionId": "e2",
                    "sequence": 1,
                },
            ),
        )
    )
    return [
        httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=f"retry: 0\n\n{frames}"),
        httpx2.Response(410, json={"error": "no longer kept", "code": "FEED_EXPIRED"}),
    ]


def test_an_event_line_tells_the_error_and_takes_markup_for_text() -> None:
    data = {"kind": "pay", "status": "FAILED", "error": {"type": "Boom", "message": "[red]no[/red]"}}
    assert event_line(5, "TASK_FAILED", None, data).plain.endswith("pay · FAILED · Boom: [red]no[/red]")


def test_tail_follows_children_too_and_says_whose_each_event_is(api: FakeApi) -> None:
    body = {"type": "Event", "event": "WORKFLOW_STARTED", "data": {"kind": "k"}, "timestampMs": 1}
    sse = {"content-type": "text/event-stream"}
    frames = b"".join(
        f"id: {id}:1:x\nevent: data\ndata: {json.dumps(body)}\n\n".encode()
        for id in (EXECUTION, f"{EXECUTION}.c1")
    )
    api.faults = [httpx2.Response(200, headers=sse, content=frames), httpx2.Response(204)] * 2
    result = RUNNER.invoke(program, ["tail", EXECUTION, "--children"])
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [[".", "1"], [".c1", "1"]]
    assert api.requests[0].url.path.endswith(f"/{EXECUTION}/stream/consolidated")
    assert api.requests[1].headers["last-event-id"] == f"{EXECUTION}.c1:1:x"
    result = RUNNER.invoke(program, ["tail", EXECUTION, "--children", "--after", "a:1:y", "--json"])
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(event["workflowExecutionId"], event["cursor"]) for event in shown] == [
        (EXECUTION, f"{EXECUTION}:1:x"),
        (f"{EXECUTION}.c1", f"{EXECUTION}.c1:1:x"),
    ]
    assert api.requests[2].headers["last-event-id"] == "a:1:y"


def test_a_sequence_is_where_tail_begins_unless_children_are_followed(api: FakeApi) -> None:
    result = RUNNER.invoke(program, ["tail", EXECUTION, "--after", "x"])
    assert result.exit_code == 2
    assert api.requests == []
