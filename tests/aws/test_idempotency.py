"""S12: one idempotency key, fifty starts at once: one execution, and everybody is told which."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from tests.aws.stack import Answer, Stack

CALLERS = 50


def test_s12_fifty_starts_at_once_make_one_execution(stack: Stack) -> None:
    key = uuid4().hex

    def start(_: object = None) -> Answer:
        return stack.ask("POST", "/workflow-executions", {"kind": "once", "idempotencyKey": key})

    stack.ask("GET", "/workflow-executions")  # from here on API Gateway knows the key
    with ThreadPoolExecutor(CALLERS) as callers:
        answers = list(callers.map(start, range(CALLERS)))
    assert Counter(answer.status for answer in answers) == {201: 1, 200: CALLERS - 1}
    [execution] = {str(answer.body["workflowExecutionId"]) for answer in answers}
    log = stack.await_end(execution)
    assert [event["type"] for event in log if event["type"] in {"WORKFLOW_STARTED", "WORKFLOW_COMPLETED"}] == [
        "WORKFLOW_STARTED",
        "WORKFLOW_COMPLETED",
    ]
    assert start().body["workflowExecutionId"] == execution
