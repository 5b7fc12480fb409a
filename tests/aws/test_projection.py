"""What the projector makes of the log table's stream: the listing of executions, and the org's feed."""

from __future__ import annotations

import json

from tests.aws.stack import Stack


def test_an_execution_that_has_ended_is_listed_so_and_the_feed_has_told_of_it(stack: Stack) -> None:
    execution = stack.start("once")
    events = stack.await_end(execution)
    told: list[object] = []
    offset = "-1"
    while len(told) < len(events):
        page = stack.stream("/events", root="/v1/stream", offset=offset)
        assert page.status == 200, page
        told += [item["event"] for item in json.loads(page.body) if item.get("workflowExecutionId") == execution]
        offset = page.headers["Stream-Next-Offset"]
    assert told == events
    listed = stack.ask("GET", "/workflow-executions", kind="once", status="COMPLETED", limit=100)
    assert execution in {item["workflowExecutionId"] for item in listed.body["executions"]}
