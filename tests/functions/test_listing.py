"""The list of executions through the handlers: what it shows, and what it refuses."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from flowstrand.local.table_stream import stream_record
from tests.functions.stack import APPROVAL, CLAIMED, NOW_MS, QUEUED, Stack, body_of, first_commit, sample


@pytest.fixture(autouse=True)
def projected(stack: Stack) -> None:
    """The projector has seen the world."""
    records = [stream_record(first_commit(one), number) for number, one in enumerate((CLAIMED, QUEUED, APPROVAL))]
    assert stack.invoke("projector", {"Records": records}) == {"batchItemFailures": []}


def asked(stack: Stack, org: str = "acme", **parameters: str) -> Any:
    event = sample("executions/list")
    query = {name.replace("__", "."): text for name, text in parameters.items()}
    event["queryStringParameters"] = query or None
    event["multiValueQueryStringParameters"] = {name: [text] for name, text in query.items()} or None
    event["requestContext"]["authorizer"]["org"] = org
    event["pathParameters"]["org"] = org
    event["path"] = event["path"].replace("acme", org)
    return stack.invoke("executions", event)


def test_an_execution_is_listed_with_the_contracts_fields(stack: Stack) -> None:
    body = body_of(asked(stack, kind="approval"))

    itself = f"/api/orgs/acme/workflow-executions/{APPROVAL}"
    assert body == {
        "executions": [
            {
                "workflowExecutionId": APPROVAL,
                "kind": "approval",
                "status": "WAITING",
                "createdAt": "2026-11-23T12:00:00.000Z",
                "updatedAt": "2026-11-23T12:00:00.000Z",
                "currentSequence": 3,
                "queue": "default",
                "links": {"self": itself, "events": f"{itself}/events", "stream": f"{itself}/stream"},
                "suspendType": "PROMISE",
            }
        ]
    }


def test_an_ended_execution_says_when_it_ended_and_no_longer_what_it_waited_for(stack: Stack) -> None:
    stack.invoke("tasks", sample("tasks/complete"))
    stack.invoke("resumer", sample("resumer/wake"))
    [*_, last] = stack.log.read(first_commit(CLAIMED).key, after=0)
    stack.invoke("projector", {"Records": [stream_record(last)]})

    [listed] = body_of(asked(stack, status="COMPLETED"))["executions"]

    assert (listed["workflowExecutionId"], listed["currentSequence"]) == (CLAIMED, 7)
    assert listed["closedAt"] == "2026-11-23T12:00:00.000Z"
    assert "suspendType" not in listed


def test_a_cursor_leads_through_every_page(stack: Stack) -> None:
    seen: list[str] = []
    parameters: dict[str, str] = {"limit": "1"}
    while True:
        body = body_of(asked(stack, **parameters))
        seen += [one["workflowExecutionId"] for one in body["executions"]]
        if "nextCursor" not in body:
            break
        parameters["cursor"] = body["nextCursor"]

    assert sorted(seen) == sorted([CLAIMED, QUEUED, APPROVAL])
    assert len(seen) == 3


def test_another_org_sees_none_of_them_even_with_their_cursor(stack: Stack) -> None:
    cursor = body_of(asked(stack, limit="1"))["nextCursor"]

    assert body_of(asked(stack, "other")) == {"executions": []}
    assert body_of(asked(stack, "other", cursor=cursor)) == {"executions": []}


def _cursor(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "====",
        "AAAA",
        _cursor("1"),
        _cursor("8204564799999#../etc"),
        _cursor("8204564799999#"),
        _cursor("8204564799999#x#y"),
        _cursor("8204564799999#abc") + "=",
        _cursor("8204564799999#abcd") + "AAAA\n",
        "A" * 5_000,
    ],
)
def test_a_cursor_that_no_page_has_given_is_refused(stack: Stack, cursor: str) -> None:
    response = asked(stack, cursor=cursor)

    assert (response["statusCode"], body_of(response)["code"]) == (400, "INVALID_CURSOR")
    assert body_of(response)["details"][0]["pointer"] == "/cursor"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("status", "OPEN"),
        ("status", "waiting"),
        ("kind", "a#b"),
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "ten"),
        ("createdAfter", "yesterday"),
        ("createdAfter", "2026-11-23T12:00:00"),
        ("createdBefore", "99999-01-01T00:00:00Z"),
        ("metadata__", "x"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(stack: Stack, name: str, text: str) -> None:
    response = asked(stack, **{name: text})

    assert (response["statusCode"], body_of(response)["code"]) == (400, "INVALID_INPUT")
    assert body_of(response)["details"][0]["pointer"] == f"/{name.partition('__')[0]}"


def test_more_than_ten_filters_by_metadata_are_refused(stack: Stack) -> None:
    filters = {f"metadata__key{number}": "x" for number in range(11)}

    assert asked(stack, **filters)["statusCode"] == 400


def test_moments_may_have_any_offset(stack: Stack) -> None:
    assert NOW_MS == 1_795_435_200_000
    on_the_dot = {"createdAfter": "2026-11-23T13:00:00+01:00", "createdBefore": "2026-11-23T12:00:00.001Z"}

    assert len(body_of(asked(stack, **on_the_dot))["executions"]) == 3
    assert body_of(asked(stack, createdBefore="2026-11-23T13:00:00+01:00"))["executions"] == []
