"""A request's trace is in what it starts, and comes out where the work is handed out; one that is not valid is as good as none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowstrand.engine.events import TaskCreated, WorkflowStarted
from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.trace_context import TraceContext
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import LogKey
from tests.functions.stack import ACME, SCHEDULE, Stack, body_of, sample

TRACE = "0af7651916cd43dd8448eb211c80319c"
GIVEN = f"00-{TRACE}-b7ad6b7169203331-01"


def traced(name: str, *traceparents: str) -> dict[str, Any]:
    """A sample with a trace."""
    event = sample(name)
    event["multiValueHeaders"] |= {"Traceparent": [*traceparents], "tracestate": ["congo=t61"]}
    return event


def trace_of(stack: Stack, execution: str) -> TraceContext | None:
    """What the first event of a log says."""
    commit = stack.log.commit_at(LogKey(ACME, ExecutionId(execution)), 1)
    assert commit is not None
    data = unpack_events(commit)[0].data
    assert isinstance(data, WorkflowStarted | TaskCreated)
    return data.trace


@pytest.mark.parametrize("name", ["start", "start-with-idempotency-key", "signal-with-start", "start-task"])
def test_what_a_request_starts_belongs_to_its_trace(stack: Stack, name: str) -> None:
    body = body_of(stack.invoke("executions", traced(f"executions/{name}", GIVEN)))

    started = body.get("workflowExecutionId") or body["taskExecutionId"]
    assert trace_of(stack, started) == TraceContext(traceparent=GIVEN, tracestate="congo=t61")


def test_so_does_the_run_that_is_asked_of_a_schedule(stack: Stack) -> None:
    body = body_of(stack.invoke("executions", traced("executions/trigger-schedule", GIVEN)))

    assert SCHEDULE in body["workflowExecutionId"]
    assert trace_of(stack, body["workflowExecutionId"]) == TraceContext(traceparent=GIVEN, tracestate="congo=t61")


@pytest.mark.parametrize("given", [(), ("nonsense",), (GIVEN, GIVEN), (GIVEN.replace("00-", "ff-"),)])
def test_a_trace_that_is_not_valid_is_none(stack: Stack, given: tuple[str, ...]) -> None:
    response = stack.invoke("executions", traced("executions/start", *given))

    assert response["statusCode"] == 201
    assert trace_of(stack, body_of(response)["workflowExecutionId"]) is None


def test_a_standalone_tasks_trace_comes_out_with_its_attempt(stack: Stack) -> None:
    started = body_of(stack.invoke("executions", traced("executions/start-task", GIVEN)))["taskExecutionId"]
    wake = sample("resumer/wake")
    body = {"org": ACME, "executionId": started, "type": "wake", "sequence": 1}
    wake["Records"][0]["body"] = json.dumps(body)
    stack.invoke("resumer", wake)
    poll = sample("tasks/poll")
    poll["body"] = json.dumps({**json.loads(poll["body"]), "max": 10})

    tasks = body_of(stack.invoke("tasks", poll))["tasks"]

    [task] = [task for task in tasks if task["taskExecutionId"] == started]
    assert task["traceparent"].startswith(f"00-{TRACE}-")
    assert task["traceparent"] != GIVEN
    assert task["tracestate"] == "congo=t61"
