"""Whatever is refused is refused with its status and code, and changes nothing in any log."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from flowstrand.engine.ids import execution_id
from flowstrand.json_depth import MAX_BODY_DEPTH
from tests.functions.stack import (
    APPROVAL,
    APPROVAL_PROMISE,
    CLAIMED,
    CLAIMED_TASK,
    NOW_MS,
    QUEUED_TASK,
    STANDALONE,
    Stack,
    body_of,
    sample,
)

UNKNOWN = execution_id(NOW_MS, b"nobody----")

REPORTS = ["tasks/complete", "tasks/upload-output", "tasks/fail", "tasks/heartbeat", "tasks/stream", "tasks/log"]
SETTLINGS = ["executions/resolve-promise", "executions/reject-promise-by-key"]
WRITES = [
    "executions/start",
    "executions/start-task",
    "executions/upload-payload",
    "executions/start-task-with-idempotency-key",
    "executions/signal-with-start",
    "executions/signal",
    "executions/cancel",
    "executions/retry",
    *SETTLINGS,
    "executions/put-queue",
    "tasks/register",
    "tasks/worker-heartbeat",
    "tasks/poll",
    *REPORTS,
]
LOOKS = ["executions/state", "executions/tasks", "executions/children"]
SCHEDULE_WRITES = ["executions/create-schedule", "executions/update-schedule", "executions/trigger-schedule"]
SCHEDULES = [
    "get-schedule",
    "update-schedule",
    "pause-schedule",
    "resume-schedule",
    "trigger-schedule",
    "delete-schedule",
    "schedule-runs",
]
ALL_SCHEDULES = ["executions/create-schedule", *(f"executions/{name}" for name in SCHEDULES)]
READS = ["executions/get", *LOOKS, "events/history"]
QUEUES = ["executions/get-queue"]
LISTS = [
    "executions/list",
    "executions/workflow-definitions",
    "executions/task-definitions",
    "executions/list-schedules",
    "executions/workers",
    "executions/queues",
]
TASKS = [
    "executions/get-task",
    "executions/cancel-task",
    "executions/task-attempts",
    "executions/task-logs",
    "events/task-history",
]
PAYLOADS = ["executions/get-payload"]
STREAMS = ["stream/state", "stream/task", "stream/consolidated"]
ALL = [*WRITES, *READS, *LISTS, *QUEUES, *ALL_SCHEDULES, *TASKS, *PAYLOADS, *STREAMS]


def refused(stack: Stack, name: str, event: dict[str, Any]) -> tuple[int, str, dict[str, Any]]:
    """Status, code and body of a request that must change nothing."""
    before, open_before = stack.sequences(), stack.open_executions()
    response = stack.invoke(name.split("/", maxsplit=1)[0], event)
    assert (stack.sequences(), stack.open_executions()) == (before, open_before)
    if isinstance(response, dict):
        body = body_of(response)
        assert response["multiValueHeaders"]["Content-Type"] == ["application/json"]
        assert isinstance(body["error"], str)
        return response["statusCode"], body["code"], body
    return response.status, "", {}


def changed(name: str, **fields: Any) -> dict[str, Any]:
    """A sample whose JSON body has other fields; None removes one."""
    event = sample(name)
    body = {**json.loads(event["body"]), **fields}
    event["body"] = json.dumps({field: value for field, value in body.items() if value is not ...})
    return event


def moved(name: str, old: str, new: str) -> dict[str, Any]:
    """A sample with another path."""
    event = sample(name)
    event["path"] = event["path"].replace(old, new)
    return event


# --- credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize("authorizer", [None, {}, "acme", {"org": "acme"}, {"org": "acme", "principals": "user"}])
@pytest.mark.parametrize("name", ALL)
def test_without_a_whole_identity_every_route_is_401(stack: Stack, name: str, authorizer: Any) -> None:
    event = sample(name)
    event["requestContext"]["authorizer"] = authorizer

    status, code, _ = refused(stack, name, event)

    assert status == 401
    assert code in {"UNAUTHENTICATED", ""}


@pytest.mark.parametrize(("org", "principals"), [("acme", ""), ("acme", "admin"), ("a#b", "user"), ("", "user")])
def test_an_identity_that_makes_no_sense_is_nobody(stack: Stack, org: str, principals: str) -> None:
    event = sample("executions/get")
    event["requestContext"]["authorizer"] |= {"org": org, "principals": principals}

    assert refused(stack, "executions/get", event)[:2] == (401, "UNAUTHENTICATED")


def test_a_request_without_a_context_is_401(stack: Stack) -> None:
    event = sample("executions/get")
    del event["requestContext"]["authorizer"]

    assert refused(stack, "executions/get", event)[:2] == (401, "UNAUTHENTICATED")


def test_a_401_names_the_scheme(stack: Stack) -> None:
    event = sample("executions/get")
    del event["requestContext"]["authorizer"]

    assert stack.invoke("executions", event)["multiValueHeaders"]["WWW-Authenticate"] == ["Bearer"]


@pytest.mark.parametrize("name", ALL)
def test_another_orgs_path_is_404(stack: Stack, name: str) -> None:
    assert refused(stack, name, moved(name, "/acme/", "/other/"))[0] == 404


@pytest.mark.parametrize("name", ALL)
def test_another_orgs_caller_is_404(stack: Stack, name: str) -> None:
    event = sample(name)
    event["requestContext"]["authorizer"]["org"] = "other"

    assert refused(stack, name, event)[0] == 404


@pytest.mark.parametrize("name", ["executions/get", "events/history"])
def test_an_execution_of_another_org_cannot_be_read_under_ones_own(stack: Stack, name: str) -> None:
    event = moved(name, "/acme/", "/other/")
    event["requestContext"]["authorizer"]["org"] = "other"

    assert refused(stack, name, event)[:2] == (404, "EXECUTION_NOT_FOUND")


def test_a_lease_of_another_org_is_worth_nothing(stack: Stack) -> None:
    event = moved("tasks/complete", "/acme/", "/other/")
    event["requestContext"]["authorizer"]["org"] = "other"

    assert refused(stack, "tasks/complete", event)[:2] == (404, "TASK_NOT_FOUND")


@pytest.mark.parametrize("name", ALL)
def test_the_wrong_principal_is_403(stack: Stack, name: str) -> None:
    event = sample(name)
    wrong = "user" if name.startswith("tasks/") else "worker"
    event["requestContext"]["authorizer"]["principals"] = wrong

    status, code, _ = refused(stack, name, event)

    assert status == 403
    assert code in {"WRONG_PRINCIPAL", ""}


# --- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "{'kind': 'order'}",
        '{"kind": "order"} trailing',
        '{"kind": "order", "input": NaN}',
        '{"kind": "order", "input": -Infinity}',
        '{"kind": "order", "input": 1e999}',
        '{"kind": "order", "input": "\\ud800"}',
        '{"kind": "order", "input": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"kind": "order", "input": ' + "[" * MAX_BODY_DEPTH + "]" * MAX_BODY_DEPTH + "}",
        '{"kind": "order", "input": ' + "9" * 5_000 + "}",
    ],
    ids=[
        "none",
        "empty",
        "cut",
        "python",
        "trailing",
        "nan",
        "infinity",
        "huge",
        "surrogate",
        "deep",
        "deeper than it may be",
        "long",
    ],
)
@pytest.mark.parametrize("name", WRITES)
def test_malformed_json_is_400(stack: Stack, name: str, body: str | None) -> None:
    event = sample(name)
    event["body"] = body

    assert refused(stack, name, event)[:2] == (400, "MALFORMED_JSON")


def test_a_value_as_deep_as_it_may_be_is_shown_wherever_it_is_to_be_seen(stack: Stack) -> None:
    deep: Any = "the bottom"
    for _ in range(MAX_BODY_DEPTH - 1):
        deep = [deep]
    assert stack.invoke("tasks", changed("tasks/complete", output=deep))["statusCode"] == 200
    stack.invoke("resumer", sample("resumer/wake"))
    task = sample("executions/get-task") | {
        name: sample("tasks/complete")[name] for name in ("path", "pathParameters")
    }
    task["path"] = task["path"].removesuffix("/complete")

    shown = body_of(stack.invoke("executions", task))
    history = body_of(stack.invoke("events", sample("events/history")))["events"]

    assert shown["output"] == body_of(stack.invoke("executions", sample("executions/get")))["output"] == deep
    assert [event["data"]["output"] for event in history if event["type"].endswith("COMPLETED")] == [deep, deep]


def test_a_record_as_deep_as_it_may_be_is_shown(stack: Stack) -> None:
    deep: Any = "the bottom"
    for _ in range(MAX_BODY_DEPTH - 4):  # the body, its list, the record, its fields
        deep = [deep]
    event = sample("tasks/log")
    [record, *_] = json.loads(event["body"])["records"]
    assert (
        stack.invoke("tasks", changed("tasks/log", records=[{**record, "fields": {"deep": deep}}]))["statusCode"]
        == 200
    )

    logs = sample("executions/task-logs") | {"path": event["path"], "pathParameters": event["pathParameters"]}

    assert body_of(stack.invoke("executions", logs))["records"][0]["fields"] == {"deep": deep}


@pytest.mark.parametrize("body", ["%%%", base64.b64encode(b'{"kind":"\xff"}').decode()])
def test_a_binary_body_that_is_not_text_is_400(stack: Stack, body: str) -> None:
    event = sample("executions/start") | {"body": body, "isBase64Encoded": True}

    assert refused(stack, "executions/start", event)[:2] == (400, "MALFORMED_JSON")


def test_a_binary_body_that_is_text_is_read(stack: Stack) -> None:
    event = sample("executions/start")
    event |= {"body": base64.b64encode(event["body"].encode()).decode(), "isBase64Encoded": True}

    assert stack.invoke("executions", event)["statusCode"] == 201


@pytest.mark.parametrize("body", ["[]", "null", '"order"', "5"])
@pytest.mark.parametrize("name", [*WRITES, *SCHEDULE_WRITES])
def test_a_body_that_is_no_object_is_400(stack: Stack, name: str, body: str) -> None:
    event = sample(name)
    event["body"] = body

    status, code, answer = refused(stack, name, event)

    assert (status, code) == (400, "INVALID_INPUT")
    assert [detail["pointer"] for detail in answer["details"]] == [""]


@pytest.mark.parametrize("name", [*WRITES, *SCHEDULE_WRITES])
def test_a_body_over_the_limit_is_413(stack: Stack, name: str) -> None:
    event = sample(name)
    event["body"] = json.dumps({"input": "é" * 600_000}, ensure_ascii=False)

    assert refused(stack, name, event)[:2] == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_just_under_the_limit_is_taken(stack: Stack) -> None:
    event = changed("executions/start", input="x" * 1_048_000)

    assert stack.invoke("executions", event)["statusCode"] == 201


@pytest.mark.parametrize(
    ("name", "fields", "pointer"),
    [
        ("executions/start", {"kind": ...}, "/kind"),
        ("executions/start", {"kind": 5}, "/kind"),
        ("executions/start", {"kind": "a#b"}, "/kind"),
        ("executions/start", {"kind": "order\n"}, "/kind"),
        ("executions/start", {"kind": "x" * 129}, "/kind"),
        ("executions/start", {"queue": "a/b"}, "/queue"),
        ("executions/start", {"queue": None}, "/queue"),
        ("executions/start", {"version": 1}, "/version"),
        ("executions/start", {"metadata": []}, "/metadata"),
        ("executions/start", {"metadata": {"k": "v" * 9_000}}, "/metadata"),
        ("executions/start", {"colour": "red"}, "/colour"),
        ("executions/start", {"a/b~c": 1}, "/a~1b~0c"),
        ("executions/signal", {"signalName": ...}, "/signalName"),
        ("executions/signal", {"signalName": ""}, "/signalName"),
        ("executions/signal", {"signalName": "a\nb"}, "/signalName"),
        ("executions/signal", {"signalName": "a\u0085b"}, "/signalName"),
        ("executions/signal", {"signalName": "a\u2028b"}, "/signalName"),
        ("executions/signal", {"signalName": "x" * 129}, "/signalName"),
        ("executions/signal", {"requestId": ""}, "/requestId"),
        ("executions/cancel", {"force": "yes"}, "/force"),
        ("executions/cancel", {"reason": "x" * 1_025}, "/reason"),
        ("executions/resolve-promise", {"result": 5}, "/result"),
        ("executions/create-schedule", {"scheduleId": "a.b"}, "/scheduleId"),
        ("executions/create-schedule", {"scheduleId": ""}, "/scheduleId"),
        ("executions/create-schedule", {"kind": ...}, "/kind"),
        ("executions/create-schedule", {"cron": "every day"}, "/cron"),
        ("executions/create-schedule", {"cron": "0 0 30 2 *"}, "/cron"),
        ("executions/create-schedule", {"cron": ...}, "/at"),
        ("executions/create-schedule", {"at": "2027-01-01T00:00:00Z"}, "/at"),
        ("executions/create-schedule", {"cron": ..., "at": "2001-01-01T00:00:00Z"}, "/at"),
        ("executions/create-schedule", {"cron": ..., "at": "tomorrow"}, "/at"),
        ("executions/create-schedule", {"cron": ..., "at": "2027-01-01T00:00:00"}, "/at"),
        ("executions/create-schedule", {"timeZone": "Mars/Olympus"}, "/timeZone"),
        ("executions/create-schedule", {"overlapPolicy": "skip"}, "/overlapPolicy"),
        ("executions/create-schedule", {"missedRunPolicy": "ALLOW"}, "/missedRunPolicy"),
        ("executions/create-schedule", {"graceSeconds": 59}, "/graceSeconds"),
        ("executions/create-schedule", {"catchUpLimit": 101}, "/catchUpLimit"),
        ("executions/trigger-schedule", {"requestId": ""}, "/requestId"),
        ("executions/reject-promise-by-key", {"error": ...}, "/error"),
        ("executions/reject-promise-by-key", {"error": {"type": "E"}}, "/error/message"),
        ("tasks/register", {"taskKinds": "charge-card"}, "/taskKinds"),
        ("tasks/register", {"taskKinds": ["ok", "not ok"]}, "/taskKinds/1"),
        ("tasks/register", {"task_kinds": ["x"]}, "/task_kinds"),
        ("tasks/register", {"taskDefinitions": [{"kind": "a#b"}]}, "/taskDefinitions/0/kind"),
        (
            "tasks/register",
            {"taskDefinitions": [{"kind": "a", "inputSchema": 1}]},
            "/taskDefinitions/0/inputSchema",
        ),
        (
            "tasks/register",
            {"workflowDefinitions": [{"kind": "a", "outputSchema": {"x": "y" * 40_000}}]},
            "/workflowDefinitions/0/outputSchema",
        ),
        ("tasks/register", {"workerId": "#"}, "/workerId"),
        ("tasks/poll", {"kinds": []}, "/kinds"),
        ("tasks/poll", {"max": 0}, "/max"),
        ("tasks/poll", {"max": "5"}, "/max"),
        ("tasks/poll", {"max": True}, "/max"),
        ("tasks/poll", {"max": 1.5}, "/max"),
        ("tasks/poll", {"wait": 21}, "/wait"),
        ("tasks/poll", {"wait": -1}, "/wait"),
        ("tasks/complete", {"leaseToken": ...}, "/leaseToken"),
        ("tasks/complete", {"leaseToken": 5}, "/leaseToken"),
        ("tasks/complete", {"error": "no"}, "/error"),
        ("tasks/fail", {"error": "no"}, "/error"),
        ("tasks/fail", {"error": {"type": "E"}}, "/error/message"),
        ("tasks/fail", {"retryable": "no"}, "/retryable"),
        ("tasks/heartbeat", {"leaseToken": ""}, "/leaseToken"),
        ("tasks/stream", {"leaseToken": ...}, "/leaseToken"),
        ("tasks/stream", {"requestId": ""}, "/requestId"),
        ("tasks/stream", {"requestId": 5}, "/requestId"),
        ("tasks/stream", {"chunks": []}, "/chunks"),
        ("tasks/stream", {"chunks": [{"type": "data", "payload": 1}] * 101}, "/chunks"),
        ("tasks/stream", {"chunks": [{"type": "smoke", "payload": 1}]}, "/chunks/0/type"),
        ("tasks/stream", {"chunks": [{"type": "data"}]}, "/chunks/0/payload"),
        ("tasks/stream", {"chunks": [{"type": "token", "payload": 1}]}, "/chunks/0/payload"),
        ("tasks/stream", {"chunks": [{"type": "token", "payload": ""}]}, "/chunks/0/payload"),
        ("tasks/stream", {"chunks": [{"type": "progress", "payload": "half"}]}, "/chunks/0/payload"),
        ("tasks/stream", {"chunks": [{"type": "progress", "payload": True}]}, "/chunks/0/payload"),
        ("tasks/stream", {"chunks": [{"type": "progress", "payload": 1.01}]}, "/chunks/0/payload"),
        ("executions/signal-with-start", {"workflowId": ""}, "/workflowId"),
        ("executions/signal-with-start", {"signalName": ""}, "/signalName"),
        ("executions/signal-with-start", {"kind": ...}, "/kind"),
        ("executions/start", {"idempotencyKey": ""}, "/idempotencyKey"),
        ("executions/start", {"idempotencyKey": "k" * 201}, "/idempotencyKey"),
        ("executions/start", {"idempotencyKey": "a\nb"}, "/idempotencyKey"),
        ("executions/start", {"idempotencyKeyTTL": "0s"}, "/idempotencyKeyTTL"),
        ("executions/start", {"idempotencyKeyTTL": "31d"}, "/idempotencyKeyTTL"),
        ("executions/start", {"idempotencyKeyTTL": "1.5h"}, "/idempotencyKeyTTL"),
        ("executions/start", {"idempotencyKeyTTL": "24"}, "/idempotencyKeyTTL"),
        ("executions/start", {"idempotencyKeyTTL": 30}, "/idempotencyKeyTTL"),
        ("executions/start-task", {"kind": ...}, "/kind"),
        ("executions/start-task", {"maxRetries": -1}, "/maxRetries"),
        ("executions/start-task", {"maxRetries": "3"}, "/maxRetries"),
        ("executions/start-task", {"maxRetries": 1, "retry": {}}, ""),
        ("executions/start-task", {"timeoutMs": 0}, "/timeoutMs"),
        ("executions/start-task", {"startToCloseMs": 1.5}, "/startToCloseMs"),
        ("executions/start-task", {"heartbeatTimeoutMs": 999}, "/heartbeatTimeoutMs"),
        ("executions/start-task", {"priority": 10**9}, "/priority"),
        ("executions/start-task", {"metadata": {"k": "v" * 9_000}}, "/metadata"),
        ("executions/start-task-with-idempotency-key", {"retry": {"jitter": 2}}, "/retry/jitter"),
        ("executions/start-task-with-idempotency-key", {"idempotencyKeyTTL": "x"}, "/idempotencyKeyTTL"),
        ("tasks/heartbeat", {"progress": 1.01}, "/progress"),
        ("tasks/heartbeat", {"progress": "half"}, "/progress"),
        ("tasks/stream", {"chunks": [{"type": "error", "payload": "no"}]}, "/chunks/0/payload"),
        ("tasks/stream", {"chunks": [{"type": "token", "payload": "x", "details": 1}]}, "/chunks/0/details"),
    ],
)
def test_a_field_that_does_not_fit_is_400_and_pointed_at(
    stack: Stack, name: str, fields: dict[str, Any], pointer: str
) -> None:
    status, code, body = refused(stack, name, changed(name, **fields))

    assert (status, code) == (400, "INVALID_INPUT")
    assert [detail["pointer"] for detail in body["details"]] == [pointer]


def test_a_refusal_repeats_no_value(stack: Stack) -> None:
    _, _, body = refused(stack, "executions/start", changed("executions/start", kind="top secret"))

    assert "top secret" not in json.dumps(body)


def test_a_whole_number_may_be_written_as_a_fraction(stack: Stack) -> None:
    assert stack.invoke("tasks", changed("tasks/poll", max=1.0))["statusCode"] == 200


@pytest.mark.parametrize("name", ["soft\u00adhyphen", "\U000e0001", "non\u00a0breaking", "\u0378"])
def test_a_name_is_of_any_characters_but_control_characters(stack: Stack, name: str) -> None:
    assert stack.invoke("executions", changed("executions/signal", signalName=name))["statusCode"] == 200


@pytest.mark.parametrize("values", [["5", "5"], ["x", "5"], [""]], ids=["twice", "wrong first", "empty"])
def test_a_query_parameter_is_given_once_and_with_a_value(stack: Stack, values: list[str]) -> None:
    event = sample("executions/list-schedules")
    event["queryStringParameters"] = {"limit": values[-1]}
    event["multiValueQueryStringParameters"] = {"limit": values}

    status, code, body = refused(stack, "executions/list-schedules", event)

    assert (status, code, body["details"][0]["pointer"]) == (400, "INVALID_INPUT", "/limit")


# --- ids ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["executions/start", "executions/signal-with-start"])
def test_an_unknown_kind_is_404_and_creates_nothing(stack: Stack, name: str) -> None:
    event = changed(name, kind="nobody-knows-this")

    assert refused(stack, name, event)[:2] == (404, "UNKNOWN_WORKFLOW_KIND")


def test_an_unknown_kind_of_task_is_404_and_creates_nothing(stack: Stack) -> None:
    event = changed("executions/start-task", kind="nobody-knows-this")

    assert refused(stack, "executions/start-task", event)[:2] == (404, "UNKNOWN_TASK_KIND")


@pytest.mark.parametrize(
    "task", [f"{UNKNOWN}.t0", f"{CLAIMED}.t9", CLAIMED, f"{CLAIMED}.m1", "x", "%23", "..", "é"]
)
@pytest.mark.parametrize("name", TASKS)
def test_what_is_asked_of_an_unknown_task_is_404(stack: Stack, name: str, task: str) -> None:
    assert refused(stack, name, moved(name, STANDALONE, task))[:2] == (404, "TASK_NOT_FOUND")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_of_another_org_is_not_there_under_ones_own(stack: Stack, name: str) -> None:
    event = moved(name, "/acme/", "/other/")
    event["requestContext"]["authorizer"]["org"] = "other"

    assert refused(stack, name, event)[0] == 404


@pytest.mark.parametrize("name", ["executions/cancel-task", "events/task-history"])
def test_a_task_of_an_execution_is_not_its_own(stack: Stack, name: str) -> None:
    assert refused(stack, name, moved(name, STANDALONE, CLAIMED_TASK))[:2] == (409, "TASK_OF_WORKFLOW")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [({"limit": "0"}, "/limit"), ({"limit": "x"}, "/limit"), ({"cursor": "1"}, "/cursor")],
)
def test_a_page_of_attempts_that_cannot_be_is_400(stack: Stack, query: dict[str, str], pointer: str) -> None:
    event = sample("executions/task-attempts") | {
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
    }

    status, code, body = refused(stack, "executions/task-attempts", event)

    assert (status, code, body["details"][0]["pointer"]) == (400, "INVALID_INPUT", pointer)


@pytest.mark.parametrize("cursor", ["2.1", "9.9", "1.2"])
def test_a_cursor_that_no_page_gave_is_400(stack: Stack, cursor: str) -> None:
    event = sample("executions/task-attempts")
    event["queryStringParameters"] = {"cursor": cursor}
    event["multiValueQueryStringParameters"] = {"cursor": [cursor]}

    assert refused(stack, "executions/task-attempts", event)[:2] == (400, "INVALID_INPUT")


@pytest.mark.parametrize("execution", [UNKNOWN, "x", f"{APPROVAL}.p1", "%23", "..", "a" * 600, "é"])
@pytest.mark.parametrize("name", ["executions/signal", "executions/cancel"])
def test_what_is_asked_of_an_unknown_execution_is_404(stack: Stack, name: str, execution: str) -> None:
    event = moved(name, APPROVAL, execution)

    assert refused(stack, name, event)[:2] == (404, "EXECUTION_NOT_FOUND")


@pytest.mark.parametrize("schedule", ["unknown", "%23", "..", "a" * 200, "é"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_an_unknown_schedule_is_404(stack: Stack, name: str, schedule: str) -> None:
    event = moved(f"executions/{name}", "/nightly", f"/{schedule}")

    assert refused(stack, f"executions/{name}", event)[:2] == (404, "SCHEDULE_NOT_FOUND")


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_of_another_org_is_not_there_under_ones_own(stack: Stack, name: str) -> None:
    event = moved(f"executions/{name}", "/acme/", "/other/")
    event["requestContext"]["authorizer"]["org"] = "other"

    assert refused(stack, f"executions/{name}", event)[:2] == (404, "SCHEDULE_NOT_FOUND")


def test_a_schedule_id_that_is_taken_is_409(stack: Stack) -> None:
    event = changed("executions/create-schedule", scheduleId="nightly")

    assert refused(stack, "executions/create-schedule", event)[:2] == (409, "SCHEDULE_EXISTS")


def test_a_schedule_of_an_unknown_kind_is_404(stack: Stack) -> None:
    event = changed("executions/create-schedule", kind="nobody-knows-this")

    assert refused(stack, "executions/create-schedule", event)[:2] == (404, "UNKNOWN_WORKFLOW_KIND")


@pytest.mark.parametrize(
    "promise",
    [
        f"{UNKNOWN}.p1",
        f"{APPROVAL}.p9",
        f"{CLAIMED}.t1",
        "x",
        "key:nobody",
        "key:%00",
        "key:%ff",
        "%0A",
        "%23",
        "é",
    ],
)
def test_an_unknown_promise_is_404(stack: Stack, promise: str) -> None:
    event = moved("executions/resolve-promise", APPROVAL_PROMISE, promise)

    assert refused(stack, "executions/resolve-promise", event)[:2] == (404, "PROMISE_NOT_FOUND")


@pytest.mark.parametrize(
    "execution", [UNKNOWN, "x", f"{CLAIMED}.t1", "%23", "%00", "%0A", "%ff", "%zz", "..", "a" * 9_000, "é"]
)
@pytest.mark.parametrize("name", READS)
def test_an_unknown_execution_is_404(stack: Stack, name: str, execution: str) -> None:
    event = moved(name, CLAIMED, execution)

    assert refused(stack, name, event)[:2] == (404, "EXECUTION_NOT_FOUND")


@pytest.mark.parametrize("task", [f"{UNKNOWN}.t1", f"{CLAIMED}.t9", CLAIMED, f"{CLAIMED}.m1", "x", "%23", "é"])
@pytest.mark.parametrize("name", REPORTS)
def test_an_unknown_task_is_404(stack: Stack, name: str, task: str) -> None:
    event = moved(name, CLAIMED_TASK, task)

    assert refused(stack, name, event)[:2] == (404, "TASK_NOT_FOUND")


@pytest.mark.parametrize("queue", ["%23", "a%20b", "a%2Fb"])
def test_a_queue_that_cannot_exist_is_400(stack: Stack, queue: str) -> None:
    event = moved("tasks/poll", "/queues/default/", f"/queues/{queue}/")

    assert refused(stack, "tasks/poll", event)[:2] == (400, "INVALID_INPUT")


# --- leases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_a_token_that_is_not_ours_is_409(stack: Stack, name: str) -> None:
    assert refused(stack, name, changed(name, leaseToken="a.b.c"))[:2] == (409, "INVALID_LEASE")


@pytest.mark.parametrize("name", REPORTS)
def test_a_token_of_another_task_is_409(stack: Stack, name: str) -> None:
    event = moved(name, CLAIMED_TASK, QUEUED_TASK)

    assert refused(stack, name, event)[:2] == (409, "INVALID_LEASE")


@pytest.mark.parametrize("name", ["tasks/complete", "tasks/heartbeat", "tasks/stream"])
def test_a_stale_attempt_is_409(stack: Stack, name: str) -> None:
    stack.invoke("tasks", changed("tasks/fail", retryable=True))

    assert refused(stack, name, sample(name))[:2] == (409, "STALE_ATTEMPT")


@pytest.mark.parametrize("name", ["tasks/fail", "tasks/heartbeat", "tasks/stream"])
def test_a_closed_execution_is_409(stack: Stack, name: str) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))

    status, code, _ = refused(stack, name, sample(name))

    assert (status, code) == (409, "EXECUTION_CLOSED")


# --- routes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_an_unknown_route_is_404(stack: Stack, name: str) -> None:
    event = sample(name)
    event["path"] += "/no/such/route"

    assert refused(stack, name, event)[:2] == (404, "ROUTE_NOT_FOUND")


def test_an_unknown_route_is_401_to_strangers(stack: Stack) -> None:
    event = sample("executions/get")
    event["path"] = "/"
    del event["requestContext"]["authorizer"]

    assert refused(stack, "executions/get", event)[:2] == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        *((name, "POST") for name in WRITES if name != "executions/put-queue"),
        ("executions/put-queue", "GET, PUT"),
        *((n, "GET") for n in READS),
    ],
)
def test_another_method_is_405_and_told_which(stack: Stack, name: str, allowed: str) -> None:
    event = sample(name)
    event["httpMethod"] = "DELETE"

    response = stack.invoke(name.split("/", maxsplit=1)[0], event)

    assert (response["statusCode"], body_of(response)["code"]) == (405, "METHOD_NOT_ALLOWED")
    is_listed_too = name == "executions/start"  # where executions are started, they are listed
    assert response["multiValueHeaders"]["Allow"] == [f"GET, {allowed}" if is_listed_too else allowed]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "x"),
        ("cursor", "x"),
        ("cursor", "open.-1"),
        ("status", "RUNNING"),
    ],
)
@pytest.mark.parametrize("name", ["executions/tasks", "executions/children"])
def test_what_a_list_of_work_cannot_be_asked_for_is_400(
    stack: Stack, name: str, parameter: str, value: str
) -> None:
    event = sample(name)
    event["queryStringParameters"] = {parameter: value}
    event["multiValueQueryStringParameters"] = {parameter: [value]}

    status, code, body = refused(stack, name, event)

    assert (status, code, body["details"][0]["pointer"]) == (400, "INVALID_INPUT", f"/{parameter}")


@pytest.mark.parametrize("limit", ["0", "101", "-1", "1.5", "x", "\u0661", "9999"])
@pytest.mark.parametrize("name", LISTS)
def test_a_limit_of_a_list_that_is_out_of_range_is_400(stack: Stack, name: str, limit: str) -> None:
    event = sample(name)
    event["queryStringParameters"] = {"limit": limit}
    event["multiValueQueryStringParameters"] = {"limit": [limit]}

    status, code, body = refused(stack, name, event)

    assert (status, code, body["details"][0]["pointer"]) == (400, "INVALID_INPUT", "/limit")
