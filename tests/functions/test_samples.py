"""Every file in `events/` is a real invocation: it is executed, and what comes of it is known."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from flowstrand.engine.ids import ExecutionId
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import Wake
from flowstrand.service import wakes
from flowstrand.streams.response import StreamResponse
from tests.functions.stack import (
    ACME,
    APPROVAL,
    CLAIMED,
    CLAIMED_TASK,
    EVENTS,
    QUEUED,
    STANDALONE,
    Stack,
    body_of,
    logged,
    sample,
)
from tests.unit.sse_parser import parse

STATUS = {
    "executions/start": 201,
    "executions/start-with-idempotency-key": 201,
    "executions/signal-with-start": 201,
    "executions/get": 200,
    "executions/list": 200,
    "executions/get-of-another-org": 404,
    "executions/state": 200,
    "executions/tasks": 200,
    "executions/children": 200,
    "executions/signal": 200,
    "executions/cancel": 200,
    "executions/retry": 201,
    "executions/resolve-promise": 200,
    "executions/reject-promise-by-key": 200,
    "executions/create-schedule": 201,
    "executions/list-schedules": 200,
    "executions/get-schedule": 200,
    "executions/update-schedule": 200,
    "executions/pause-schedule": 200,
    "executions/resume-schedule": 200,
    "executions/trigger-schedule": 200,
    "executions/delete-schedule": 200,
    "executions/schedule-runs": 200,
    "executions/start-task": 201,
    "executions/start-task-with-idempotency-key": 201,
    "executions/get-task": 200,
    "executions/cancel-task": 200,
    "executions/task-attempts": 200,
    "executions/task-logs": 200,
    "executions/upload-payload": 201,
    "executions/get-payload": 200,
    "executions/workflow-definitions": 200,
    "executions/task-definitions": 200,
    "executions/workers": 200,
    "executions/queues": 200,
    "executions/get-queue": 200,
    "executions/put-queue": 200,
    "executions/create-feed-ticket": 201,
    "executions/create-ticket": 201,
    "executions/create-channel-ticket": 201,
    "tasks/register": 201,
    "tasks/worker-heartbeat": 200,
    "tasks/poll": 200,
    "tasks/complete": 200,
    "tasks/upload-output": 201,
    "tasks/complete-with-a-forged-token": 409,
    "tasks/fail": 200,
    "tasks/heartbeat": 200,
    "tasks/stream": 200,
    "tasks/log": 200,
    "events/history": 200,
    "events/long-poll": 200,
    "events/filtered": 200,
    "events/task-history": 200,
    "stream/state": 200,
    "stream/cloudevents-resumed": 200,
    "stream/task": 200,
    "stream/with-ticket": 200,
    "stream/feed": 200,
    "stream/channel": 200,
    "stream/channel-events": 200,
    "stream/channel-head": 200,
    "stream/execution-messages": 200,
    "stream/execution-head": 200,
    "stream/feed-messages": 200,
    "stream/feed-head": 200,
    "channels/create": 201,
    "channels/append": 204,
    "channels/append-as-producer": 200,
    "channels/close": 204,
    "channels/delete": 204,
    "channels/append-to-an-execution": 405,
    "stream/consolidated": 200,
}
"""The status that each HTTP sample gets."""

OTHERS = {
    "authorizer/user-key",
    "authorizer/worker-key",
    "authorizer/unknown-key",
    "authorizer/forged-ticket",
    "janitor/clean",
    "resumer/wake",
    "resumer/lease-end",
    "resumer/schedule-due",
    "resumer/one-of-two-is-unreadable",
    "projector/expiry-set",
    "worker/task",
    "worker/started-before",
    "worker/one-of-two-is-unreadable",
    "projector/inbox-item",
    "projector/insert",
    "projector/modify",
    "projector/remove",
    "projector/remove-expired",
    "projector/sweep",
}
"""Samples of functions that answer no HTTP request; executed below and in the test of their function."""


def test_every_sample_file_is_executed() -> None:
    files = {str(path.relative_to(EVENTS).with_suffix("")) for path in EVENTS.rglob("*.json")}

    assert files == STATUS.keys() | OTHERS


@pytest.mark.parametrize("name", sorted(STATUS))
def test_an_http_sample_gets_its_status(stack: Stack, name: str) -> None:
    response = stack.invoke(name.split("/", maxsplit=1)[0], sample(name))

    status = response.status if isinstance(response, StreamResponse) else response["statusCode"]
    assert status == STATUS[name], response


@pytest.mark.parametrize("name", sorted(OTHERS - {"authorizer/unknown-key", "authorizer/forged-ticket"}))
def test_every_other_sample_is_answered(stack: Stack, name: str) -> None:
    answer = stack.invoke(name.split("/", maxsplit=1)[0], sample(name))

    assert isinstance(answer, dict)


def test_a_start_answers_with_the_contracts_fields(stack: Stack) -> None:
    response = stack.invoke("executions", sample("executions/start"))

    body = body_of(response)
    execution = body.pop("workflowExecutionId")
    itself = f"/api/orgs/{ACME}/workflow-executions/{execution}"
    assert body == {
        "status": "PENDING",
        "kind": "order",
        "createdAt": "2026-11-23T12:00:00.000Z",
        "links": {"self": itself, "events": f"{itself}/events", "stream": f"{itself}/stream"},
        "idempotencyKeyUsed": False,
        "idempotencyKeyNew": False,
    }
    assert response["multiValueHeaders"]["Location"] == [itself]


def test_a_start_under_a_key_is_answered_with_the_same_execution_when_it_is_repeated(stack: Stack) -> None:
    first, second = (stack.invoke("executions", sample("executions/start-with-idempotency-key")) for _ in range(2))

    assert (first["statusCode"], second["statusCode"]) == (201, 200)
    assert body_of(first)["workflowExecutionId"] == body_of(second)["workflowExecutionId"]
    assert first["multiValueHeaders"]["Location"] == second["multiValueHeaders"]["Location"]
    assert [body_of(answer)["idempotencyKeyUsed"] for answer in (first, second)] == [True, True]
    assert [body_of(answer)["idempotencyKeyNew"] for answer in (first, second)] == [True, False]


def test_a_signal_with_start_repeated_gets_the_same_answer_and_appends_nothing(stack: Stack) -> None:
    first, second = (stack.invoke("executions", sample("executions/signal-with-start")) for _ in range(2))

    assert (first["statusCode"], second["statusCode"]) == (201, 200)
    assert {body_of(answer)["signalEventSequence"] for answer in (first, second)} == {2}
    execution = body_of(first)["workflowExecutionId"]
    assert body_of(second)["workflowExecutionId"] == execution
    assert len(stack.log.read(LogKey(ACME, ExecutionId(execution)), after=0)) == 1


def test_an_execution_is_shown_with_the_sequence_to_stream_from(stack: Stack) -> None:
    body = body_of(stack.invoke("executions", sample("executions/get")))

    assert body["workflowExecutionId"] == CLAIMED
    assert (body["status"], body["kind"], body["queue"]) == ("WAITING", "order", "default")
    assert (body["currentSequence"], body["suspendType"]) == (4, "TASK")
    assert "output" not in body
    assert "error" not in body


def test_the_tasks_of_an_execution_are_shown_open_and_ended(stack: Stack) -> None:
    before = body_of(stack.invoke("executions", sample("executions/tasks")))
    stack.invoke("tasks", sample("tasks/complete"))
    after = body_of(stack.invoke("executions", sample("executions/tasks")))

    task = {"taskExecutionId": CLAIMED_TASK, "kind": "charge-card", "executionCount": 1, "maxRetries": 3}
    assert before == {
        "tasks": [{**task, "status": "RUNNING", "workerId": "worker-1", "queue": "default", "sequence": 4}]
    }
    assert after == {"tasks": [{**task, "status": "COMPLETED", "workerId": "worker-1", "sequence": 5}]}


def test_a_task_of_its_own_is_started_shown_and_cancelled(stack: Stack) -> None:
    started = stack.invoke("executions", sample("executions/start-task"))
    body = body_of(started)
    itself = f"/api/orgs/{ACME}/task-executions/{body.pop('taskExecutionId')}"
    assert body == {
        "status": "PENDING",
        "kind": "charge-card",
        "createdAt": "2026-11-23T12:00:00.000Z",
        "links": {"self": itself, "events": f"{itself}/events", "stream": f"{itself}/stream"},
        "idempotencyKeyUsed": False,
        "idempotencyKeyNew": False,
    }
    assert started["multiValueHeaders"]["Location"] == [itself]
    shown = body_of(stack.invoke("executions", sample("executions/get-task")))
    itself = f"/api/orgs/{ACME}/task-executions/{STANDALONE}"
    assert shown == {
        "taskExecutionId": STANDALONE,
        "kind": "charge-card",
        "status": "RUNNING",
        "queue": "alone",
        "createdAt": "2026-11-23T12:00:00.000Z",
        "executionCount": 1,
        "maxRetries": 3,
        "currentSequence": 2,
        "links": {"self": itself, "events": f"{itself}/events", "stream": f"{itself}/stream"},
        "workerId": "worker-1",
    }
    assert body_of(stack.invoke("executions", sample("executions/cancel-task"))) == {"sequence": 3}
    attempts = body_of(stack.invoke("executions", sample("executions/task-attempts")))["attempts"]
    assert attempts == [
        {
            "attempt": 1,
            "status": "CANCELLED",
            "sequence": 2,
            "startedAt": "2026-11-23T12:00:00.000Z",
            "endedAt": "2026-11-23T12:00:00.000Z",
            "workerId": "worker-1",
        }
    ]


def test_an_execution_without_state_and_children_says_so(stack: Stack) -> None:
    assert body_of(stack.invoke("executions", sample("executions/state"))) == {"state": {}}
    assert body_of(stack.invoke("executions", sample("executions/children"))) == {"children": []}


def test_a_poll_brings_the_contracts_fields(stack: Stack) -> None:
    (task,) = body_of(stack.invoke("tasks", sample("tasks/poll")))["tasks"]

    assert task.pop("leaseToken")
    assert task == {
        "taskExecutionId": f"{QUEUED}.t1",
        "workflowExecutionId": QUEUED,
        "kind": "charge-card",
        "input": {"amount": 5},
        "attempt": 1,
        "maxRetries": 3,
        "leaseEndsAt": "2026-11-23T12:01:00.000Z",
        "heartbeatMs": 20_000,
    }


def test_a_completion_repeated_gets_the_same_sequence_and_appends_nothing(stack: Stack) -> None:
    first = body_of(stack.invoke("tasks", sample("tasks/complete")))
    after = stack.sequences()

    second = body_of(stack.invoke("tasks", sample("tasks/complete")))

    assert first == second == {"sequence": 5}
    assert stack.sequences() == after


def test_a_completed_execution_shows_its_output(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))

    body = body_of(stack.invoke("executions", sample("executions/get")))

    assert (body["status"], body["output"]) == ("COMPLETED", {"receipt": "r-77"})


def test_a_failed_execution_shows_its_error(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/fail"))
    stack.invoke("resumer", sample("resumer/wake"))

    body = body_of(stack.invoke("executions", sample("executions/get")))

    assert body["status"] == "FAILED"
    assert "declined" in body["error"]["message"]
    assert "output" not in body


def test_a_heartbeat_says_whether_to_stop(stack: Stack) -> None:
    assert body_of(stack.invoke("tasks", sample("tasks/heartbeat"))) == {"cancelRequested": False}


def test_a_signal_repeated_gets_the_same_sequence_and_appends_nothing(stack: Stack) -> None:
    first = body_of(stack.invoke("executions", sample("executions/signal")))
    after = stack.sequences()

    second = body_of(stack.invoke("executions", sample("executions/signal")))

    assert first == second == {"signalEventSequence": 4}
    assert stack.sequences() == after


def test_a_cancel_repeated_gets_the_same_sequence_and_the_reason_is_shown(stack: Stack) -> None:
    first = body_of(stack.invoke("executions", sample("executions/cancel")))
    after = stack.sequences()

    assert body_of(stack.invoke("executions", sample("executions/cancel"))) == first == {"sequence": 4}
    assert stack.sequences() == after

    wakes.handle(stack.services, Wake(org=ACME, execution_id=APPROVAL, sequence=4))
    event = sample("executions/get")
    event["path"] = event["path"].replace(CLAIMED, APPROVAL)
    body = body_of(stack.invoke("executions", event))
    assert (body["status"], body["error"]["message"]) == ("CANCELLED", "the customer changed her mind")


def test_the_first_settles_a_promise_and_the_others_are_told(stack: Stack) -> None:
    first = body_of(stack.invoke("executions", sample("executions/resolve-promise")))
    after = stack.sequences()

    others = [
        body_of(stack.invoke("executions", sample(f"executions/{name}")))
        for name in ("resolve-promise", "reject-promise-by-key")
    ]

    assert first == {"sequence": 4, "alreadyResolved": False}
    assert others == [{"sequence": 4, "alreadyResolved": True}] * 2
    assert stack.sequences() == after


def test_chunks_repeated_get_the_same_sequence_and_append_nothing(stack: Stack) -> None:
    first = body_of(stack.invoke("tasks", sample("tasks/stream")))
    after = stack.sequences()

    second = body_of(stack.invoke("tasks", sample("tasks/stream")))

    assert first == second == {"sequence": 9}
    assert stack.sequences() == after


async def test_a_stream_shows_chunks_under_their_names_and_as_they_are(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/stream"))
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))

    frames = parse((await _text(stack.invoke("stream", sample("stream/state")).body)).encode())
    assert [(frame.type, frame.data) for frame in frames[4:9]] == [
        ("token", "charging "),
        ("token", "the card\n"),
        ("progress", "0.5"),
        ("data", '{"receipt":"r-77"}'),
        ("error", '{"message":"declined once, trying again"}'),
    ]


def test_a_registration_says_which_kinds_of_the_queue_are_missing(stack: Stack) -> None:
    first = body_of(stack.invoke("tasks", sample("tasks/register")))
    event = sample("tasks/register")
    event["body"] = '{"name":"mailer","taskKinds":["refund","send-mail"]}'

    second = body_of(stack.invoke("tasks", event))

    assert first == {"workerId": "worker-1", "missingKinds": [], "heartbeatMs": 20_000}
    assert second["missingKinds"] == ["charge-card"]
    assert second["workerId"].startswith("mailer-")


def test_history_shows_the_log(stack: Stack) -> None:
    page = body_of(stack.invoke("events", sample("events/history")))

    assert [(event["sequence"], event["type"]) for event in page["events"]] == [
        (1, "WORKFLOW_STARTED"),
        (2, "TASK_CREATED"),
        (3, "WORKFLOW_SUSPENDED"),
        (4, "TASK_STARTED"),
    ]
    assert (page["nextAfter"], page["upToDate"], page["closed"]) == (4, True, False)


def test_a_long_poll_ends_without_events_when_its_time_has_passed(stack: Stack) -> None:
    began_ms = stack.clock.now_ms()

    page = body_of(stack.invoke("events", sample("events/long-poll")))

    assert page == {"events": [], "nextAfter": 4, "upToDate": True, "closed": False}
    assert stack.clock.now_ms() - began_ms == 20_000


async def test_a_stream_begins_with_the_first_event(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))

    response = stack.invoke("stream", sample("stream/state"))

    ids = [line for line in (await _text(response.body)).splitlines() if line.startswith("id:")]
    assert ids == [f"id: {n}" for n in range(1, 8)]


async def test_a_stream_is_resumed_after_the_last_event_id(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))

    response = stack.invoke("stream", sample("stream/cloudevents-resumed"))

    ids = [line for line in (await _text(response.body)).splitlines() if line.startswith("id:")]
    assert ids == [f"id: {n}" for n in range(3, 8)]


async def test_a_consolidated_stream_tells_whose_each_event_is(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))

    response = stack.invoke("stream", sample("stream/consolidated"))

    frames = parse((await _text(response.body)).encode())
    assert [frame.last_event_id.split(":")[:2] for frame in frames] == [[CLAIMED, str(n)] for n in range(1, 8)]


async def test_the_last_event_id_beats_the_cursor_in_the_query(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))
    event = sample("stream/consolidated")
    whole = parse((await _text(stack.invoke("stream", event).body)).encode())
    event["multiValueQueryStringParameters"] = {"after": [whole[-1].last_event_id]}
    event["headers"]["Last-Event-ID"] = whole[2].last_event_id

    response = stack.invoke("stream", event)

    assert parse((await _text(response.body)).encode()) == whole[3:]


@pytest.mark.parametrize("name", sorted(STATUS))
def test_no_handler_logs_keys_tokens_or_payloads(
    stack: Stack, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        stack.invoke(name.split("/", maxsplit=1)[0], sample(name))

    text = logged(caplog)
    for secret in (
        "fsk_sample",
        "eyJhbGciOi",
        "r-77",
        "declined",
        "c-1042",
        "approvedBy",
        "over budget",
        "remind",
    ):
        assert secret not in text


async def _text(body: AsyncIterator[bytes] | None) -> str:
    assert body is not None
    chunks: list[Any] = [chunk async for chunk in body]
    return b"".join(chunks).decode()


def test_the_world_is_the_one_the_samples_speak_of() -> None:
    assert sample("tasks/complete")["pathParameters"]["id"] == CLAIMED_TASK


@pytest.mark.parametrize(
    "name", sorted(STATUS.keys() | {name for name in OTHERS if name.startswith("authorizer/")})
)
def test_an_http_sample_is_consistent_in_itself(name: str) -> None:
    event = sample(name)
    context = event["requestContext"]

    assert event["resource"].format(**event["pathParameters"]) == event["path"]
    assert context["path"] == f"/{context['stage']}{event['path']}"
    assert context["resourcePath"] == event["resource"]
