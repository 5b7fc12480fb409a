"""Every answer that the OpenAPI document describes is one that some request gets, and no request gets another.

The first half is here. The second is in `Stack.invoke`, through which all requests of these tests go.
"""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.http.openapi.operation import Operation
from flowstrand.http.openapi.operations import OPERATIONS
from flowstrand.http.openapi.refusals import Refusal, every_refusal
from flowstrand.local import routes
from flowstrand.streams.response import StreamResponse
from tests.functions.provocations import BY_CODE, OF_ROUTES, SUCCESSES
from tests.functions.requests import request_of
from tests.functions.stack import Stack, body_of
from tests.functions.streamed import text_of
from tests.support.described import undescribed
from tests.unit import template

REFUSALS = [
    (operation, refusal)
    for operation in OPERATIONS
    for refusal in operation.all_refusals()
    if not refusal.by_gateway
]
ANSWERS = [(operation, status) for operation in OPERATIONS for status in operation.answers]


def ask(stack: Stack, event: dict[str, Any]) -> tuple[int, str]:
    """Status and code of a response; no code where it is no refusal."""
    found = routes.match(event["httpMethod"], event["path"])
    assert found is not None
    response = stack.invoke(found[0].function, event)
    if isinstance(response, StreamResponse):
        return response.status, text_of(response)["code"] if response.status >= 400 else ""
    status = response["statusCode"]
    return status, body_of(response)["code"] if status >= 400 else ""


@pytest.mark.parametrize(
    ("operation", "refusal"), REFUSALS, ids=[f"{operation.name}-{refusal.code}" for operation, refusal in REFUSALS]
)
def test_every_documented_refusal_happens(stack: Stack, operation: Operation, refusal: Refusal) -> None:
    way = OF_ROUTES.get((operation.name, refusal.code)) or BY_CODE.get(refusal.code)
    assert way is not None, f"tests/functions/provocations.py has no way to {refusal.code} at {operation.name}"

    event = way(stack, operation, request_of(operation))

    assert ask(stack, event) == (refusal.status, refusal.code)


@pytest.mark.parametrize(
    ("operation", "status"), ANSWERS, ids=[f"{operation.name}-{status}" for operation, status in ANSWERS]
)
def test_every_documented_success_happens(stack: Stack, operation: Operation, status: int) -> None:
    event = request_of(operation)
    way = SUCCESSES.get((operation.name, status))
    if way is not None:
        event = way(stack, operation, event)

    assert ask(stack, event)[0] == status


def test_what_the_gateway_refuses_by_itself_is_in_the_template_with_its_status_code_and_shape() -> None:
    (api,) = template.resources("AWS::Serverless::Api").values()
    answers = {
        (int(response["StatusCode"]), code)
        for response in api["GatewayResponses"].values()
        if "StatusCode" in response
        for refusal in every_refusal()
        if f'"code":"{(code := refusal.code)}"' in response["ResponseTemplates"]["application/json"]
    }
    assert {(r.status, r.code) for r in every_refusal() if r.by_gateway} <= answers


def test_an_answer_that_is_not_described_is_noticed(stack: Stack) -> None:
    (operation,) = (one for one in OPERATIONS if one.name == "getExecution")
    event = request_of(operation)
    response = stack.invoke("executions", event)

    for wrong in (
        {**response, "statusCode": 202},
        {**response, "body": response["body"].replace('"queue"', '"row"')},
        {**response, "body": response["body"].replace('"WAITING"', '"STUCK"')},
        {**response, "multiValueHeaders": {"Content-Type": ["text/html"]}},
    ):
        assert undescribed(event, wrong) != []
