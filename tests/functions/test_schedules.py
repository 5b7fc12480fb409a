"""Schedules through the handlers: what each route answers with."""

from __future__ import annotations

import json
from typing import Any

from tests.functions.stack import SCHEDULE, Stack, body_of, sample


def asked(stack: Stack, name: str) -> dict[str, Any]:
    """The body that a sample is answered with."""
    return body_of(stack.invoke("executions", sample(f"executions/{name}")))


def test_a_created_schedule_is_shown_with_its_next_run(stack: Stack) -> None:
    response = stack.invoke("executions", sample("executions/create-schedule"))

    assert response["multiValueHeaders"]["Location"] == ["/api/orgs/acme/schedules/weekly"]
    assert body_of(response) == {
        "scheduleId": "weekly",
        "status": "ACTIVE",
        "cron": "30 2 * * MON",
        "timeZone": "Europe/Berlin",
        "overlapPolicy": "BUFFER_ONE",
        "missedRunPolicy": "RUN_ALL",
        "graceSeconds": 300,
        "catchUpLimit": 10,
        "createdAt": "2026-11-23T12:00:00.000Z",
        "revision": 1,
        "nextRunAt": "2026-11-30T01:30:00.000Z",
        "kind": "order",
        "queue": "default",
        "input": {"amount": 5},
        "metadata": {"customer": "c-1042"},
    }


def test_schedules_are_listed_by_id_page_by_page_without_their_input(stack: Stack) -> None:
    stack.invoke("executions", sample("executions/create-schedule"))
    event = sample("executions/list-schedules")
    event["queryStringParameters"] = {"limit": "1"}
    event["multiValueQueryStringParameters"] = {"limit": ["1"]}

    first = body_of(stack.invoke("executions", event))
    event["queryStringParameters"]["after"] = first["nextAfter"]
    event["multiValueQueryStringParameters"]["after"] = [first["nextAfter"]]
    second = body_of(stack.invoke("executions", event))

    assert [one["scheduleId"] for one in (*first["schedules"], *second["schedules"])] == [SCHEDULE, "weekly"]
    assert "nextAfter" not in second
    assert "input" not in first["schedules"][0]


def test_a_schedule_is_changed_in_place(stack: Stack) -> None:
    before = asked(stack, "get-schedule")
    changed = asked(stack, "update-schedule")
    assert (before["revision"], changed["revision"]) == (1, 2)
    assert (changed["cron"], changed["createdAt"]) == ("0 4 * * *", before["createdAt"])
    assert asked(stack, "get-schedule") == changed
    assert asked(stack, "update-schedule") == changed, "its answer was lost, and it came again"


def test_a_schedule_is_paused_and_resumed(stack: Stack) -> None:
    assert asked(stack, "pause-schedule")["status"] == "PAUSED"
    assert asked(stack, "pause-schedule")["status"] == "PAUSED"
    assert asked(stack, "resume-schedule")["status"] == "ACTIVE"


def test_a_trigger_repeated_gets_the_same_execution_and_its_run_is_listed_once(stack: Stack) -> None:
    first = asked(stack, "trigger-schedule")

    assert first["outcome"] == "STARTED"
    assert asked(stack, "trigger-schedule") == first
    [run] = asked(stack, "schedule-runs")["runs"]
    assert run == {
        "scheduledAt": "2026-11-23T12:00:00.000Z",
        "outcome": "STARTED",
        "triggered": True,
        "workflowExecutionId": first["workflowExecutionId"],
    }
    last = asked(stack, "get-schedule")["lastRun"]
    assert last == {"workflowExecutionId": first["workflowExecutionId"], "scheduledAt": run["scheduledAt"]}


def test_a_deleted_schedule_is_gone(stack: Stack) -> None:
    assert asked(stack, "delete-schedule") == {}
    assert stack.invoke("executions", sample("executions/get-schedule"))["statusCode"] == 404
    assert asked(stack, "list-schedules") == {"schedules": []}


def test_a_schedule_that_is_due_starts_its_run(stack: Stack) -> None:
    stack.clock.sleep_ms(14 * 3_600_000)  # 03:00 in Berlin
    before = stack.open_executions()

    assert stack.invoke("resumer", sample("resumer/schedule-due")) == {"batchItemFailures": []}

    assert stack.open_executions() == before + 1
    assert asked(stack, "schedule-runs")["runs"][0]["scheduledAt"] == "2026-11-24T01:00:00.000Z"


def test_the_sample_of_a_due_schedule_names_the_worlds(stack: Stack) -> None:
    [item] = stack.services.directory.scan("acme#schedules")
    data: Any = item.data
    body = json.loads(sample("resumer/schedule-due")["Records"][0]["body"])
    assert (body["scheduleId"], body["uid"]) == (SCHEDULE, data["schedule"]["uid"])
