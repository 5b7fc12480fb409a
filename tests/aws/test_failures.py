"""S1: a task fails for good, and the workflow catches it: the failure precedes the end, however the log is read."""

from __future__ import annotations

from tests.aws.stack import Stack
from tests.aws.transports import follow

CAUGHT = [
    (1, "WORKFLOW_STARTED"),
    (2, "TASK_CREATED"),
    (3, "WORKFLOW_SUSPENDED"),
    (4, "TASK_STARTED"),
    (5, "TASK_FAILED"),
    (6, "WORKFLOW_RESUMED"),
    (7, "WORKFLOW_COMPLETED"),
]


def test_s1_a_failing_task_is_caught(stack: Stack) -> None:
    execution = stack.start("catches")
    assert follow(stack, execution) == CAUGHT
    assert stack.get(execution)["output"] == "caught ValueError"


def test_s1b_a_broad_except_and_a_finally_around_the_task_change_nothing(stack: Stack) -> None:
    execution = stack.start("swallows")
    assert follow(stack, execution) == CAUGHT
    assert stack.get(execution)["output"] == "early"


def test_s1c_two_failures_are_retried_and_the_third_is_permanent(stack: Stack) -> None:
    execution = stack.start("retries")
    attempt = ["TASK_STARTED", "TASK_FAILED"]
    types = [name for _, name in CAUGHT[:3]] + attempt * 3 + [name for _, name in CAUGHT[5:]]
    assert follow(stack, execution) == list(enumerate(types, start=1))
    failures = [event["data"] for event in stack.events(execution)["events"] if event["type"] == "TASK_FAILED"]
    assert [(failure["attempt"], failure["status"]) for failure in failures] == [
        (1, "PENDING"),
        (2, "PENDING"),
        (3, "FAILED"),
    ]
