"""Forty tasks one after the other, all run by the stack: a hundred and sixty hops from log to queue to function to log.

Lambda stops such a loop after some sixteen, unless the functions in it allow loops, as these do.
"""

from __future__ import annotations

from tests.aws.stack import Stack
from tests.aws.transports import history

LENGTH = 40
STEP = ["TASK_CREATED", "WORKFLOW_SUSPENDED", "TASK_STARTED", "TASK_COMPLETED", "WORKFLOW_RESUMED"]


def test_forty_steps_are_a_dense_log_of_forty_tasks(stack: Stack) -> None:
    execution = stack.start("chain", LENGTH)
    log = stack.await_end(execution)
    types = ["WORKFLOW_STARTED", *STEP * LENGTH, "WORKFLOW_COMPLETED"]
    assert [(event["sequence"], event["type"]) for event in log] == list(enumerate(types, start=1))
    assert history(stack, execution, limit=50) == list(enumerate(types, start=1))
    assert stack.get(execution)["output"] == LENGTH
