"""S2: a parent and its child: two logs; in what follows both, the child's end precedes what its parent hears of it."""

from __future__ import annotations

import json

from tests.aws.stack import Stack
from tests.aws.transports import TYPES, follow, frames_of, history
from tests.unit.sse_parser import Dispatched

PARENT = [
    (1, "WORKFLOW_STARTED"),
    (2, "CHILD_WORKFLOW_INITIATED"),
    (3, "WORKFLOW_SUSPENDED"),
    (4, "CHILD_WORKFLOW_STARTED"),
    (5, "CHILD_WORKFLOW_COMPLETED"),
    (6, "WORKFLOW_RESUMED"),
    (7, "WORKFLOW_COMPLETED"),
]


def test_s2_a_parent_waits_for_its_child(stack: Stack) -> None:
    execution = stack.start("parent")
    assert follow(stack, execution) == PARENT
    assert stack.get(execution)["output"] == {"child": 2}


def test_s2_in_the_consolidated_stream_the_child_ends_before_its_parent_hears_of_it(stack: Stack) -> None:
    execution = stack.start("parent")
    frames = frames_of(stack, f"/workflow-executions/{execution}/stream/consolidated", format="cloudevents")
    told = [_row(frame) for frame in frames]
    [child] = {whose for whose, _, _ in told} - {execution}
    assert [row[1:] for row in told if row[0] == execution] == PARENT
    assert [row[1:] for row in told if row[0] == child] == history(stack, child)
    assert told.index((child, 7, "WORKFLOW_COMPLETED")) < told.index((execution, 5, "CHILD_WORKFLOW_COMPLETED"))


def _row(frame: Dispatched) -> tuple[str, int, str]:
    """An event's execution, its sequence there, and its type."""
    event = json.loads(frame.data)
    return event["source"].rpartition("/")[2], event["sequence"], TYPES[event["type"]]
