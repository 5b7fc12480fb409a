"""A streamed response arrives while its execution waits, and ends with it."""

from __future__ import annotations

import httpx2
import pytest

from flowstrand.jsonvalue import JsonObject
from tests.aws.stack import Stack


def test_events_arrive_while_the_execution_waits(stack: Stack) -> None:
    if stack.is_ministack:
        pytest.skip("the emulator collects a streamed response before it sends any of it")
    execution = stack.start("conversation")
    stack.await_event(execution, "WORKFLOW_SUSPENDED")
    lines = []
    with httpx2.stream(
        "GET",
        f"{stack.url}/api/orgs/{stack.org}/workflow-executions/{execution}/stream",
        headers={"Authorization": f"Bearer {stack.key}"},
        timeout=120,
    ) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            lines.append(line)
            if line == "id: 3":  # nothing more comes before the execution is told something
                end: JsonObject = {"signalName": "say", "signalValue": -1}
                stack.ask("POST", f"/workflow-executions/{execution}/signal", end)
    # A response that was collected first would have ended before it was told.
    assert [line for line in lines if "WORKFLOW_COMPLETED" in line]
