"""Workflows from their start to their end, by nothing but the deployed functions, the queues and the tables' streams."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from flowstrand.directory.dynamodb import DynamoDirectory
from flowstrand.service import keys
from tests.lambdas.gateway import Gateway
from tests.lambdas.logs import faults_of, json_lines
from tests.lambdas.pump import Pump
from tests.lambdas.stack import DeployedStack
from tests.unit.sse_parser import parse

ORG, NOW_MS = "acme", 1_795_435_200_000
ENDED = {"COMPLETED", "FAILED", "CANCELLED"}


class Deployed:
    """A stack with two callers of one org, and what delivers in it."""

    def __init__(self, stack: DeployedStack) -> None:
        directory = DynamoDirectory(stack.dynamodb, stack.attribute("DirectoryTable"))
        self.stack, self.pump = stack, Pump(stack)
        self.user_key, self.worker_key = (
            keys.create(directory, ORG, [principal], now_ms=NOW_MS) for principal in ("user", "worker")
        )
        self.user, self.worker = (Gateway(stack, ORG, key) for key in (self.user_key, self.worker_key))

    def start(self, kind: str, **more: Any) -> str:
        started = self.user.post("workflow-executions", {"kind": kind, **more})
        return str(started["workflowExecutionId"])

    def ended(self, execution: str) -> dict[str, Any]:
        """The execution, as it is after everything has been delivered that leads to its end."""
        self.pump.run_until(lambda: self.user.get(f"workflow-executions/{execution}")["status"] in ENDED)
        assert self.pump.failures == []
        return self.user.get(f"workflow-executions/{execution}")

    def history(self, execution: str) -> list[tuple[int, str]]:
        page = self.user.get(f"workflow-executions/{execution}/events")
        return [(event["sequence"], event["type"]) for event in page["events"]]

    def quiet(self) -> None:
        """Deliver what is there now."""
        while self.pump.step():
            """Something was."""


@pytest.fixture
def deployed(stack: DeployedStack) -> Iterator[Deployed]:
    made = Deployed(stack)
    yield made
    functions = ("authorizer", "executions", "events", "tasks", "resumer", "worker", "projector")
    logged = [line for name in functions for line in stack.function(name).logged()]
    assert json_lines(logged) is not None
    assert faults_of(logged, [made.user_key, made.worker_key, "the card was declined"]) == []


S1 = [
    "WORKFLOW_STARTED",
    "TASK_CREATED",
    "WORKFLOW_SUSPENDED",
    "TASK_STARTED",
    "TASK_FAILED",
    "WORKFLOW_RESUMED",
    "WORKFLOW_COMPLETED",
]


def test_a_failure_that_the_workflow_catches_is_told_in_order_by_history_stream_feed_and_listing(
    deployed: Deployed,
) -> None:
    execution = deployed.start("failing-task")
    frames: list[bytes] = []
    with deployed.user.stream(f"workflow-executions/{execution}/stream", format="cloudevents") as arriving:
        frames.append(next(arriving))  # it has begun before anything was delivered
        reading = threading.Thread(target=lambda: frames.extend(arriving))
        reading.start()
        shown = deployed.ended(execution)
        reading.join(timeout=60)
    assert (shown["status"], shown["output"]["caught"]) == ("COMPLETED", "ValueError")
    numbered = list(enumerate(S1, start=1))
    assert deployed.history(execution) == numbered
    told = parse(b"".join(frames))
    assert [int(event.last_event_id) for event in told] == [sequence for sequence, _ in numbered]

    deployed.quiet()
    [listed] = deployed.user.get("workflow-executions")["executions"]
    assert (listed["workflowExecutionId"], listed["status"]) == (execution, "COMPLETED")
    with deployed.user.stream("events/stream", timeout_ms=5_000, format="cloudevents") as arriving:
        feed = parse(b"".join(arriving))
    assert len(feed) == len(S1)


def test_a_child_ends_before_its_parent_hears_of_it(deployed: Deployed) -> None:
    execution = deployed.start("parent-child", input="Ada")
    assert deployed.ended(execution)["output"] == {"child": "Hello, Ada!"}
    assert [type for _, type in deployed.history(execution)] == [
        "WORKFLOW_STARTED",
        "CHILD_WORKFLOW_INITIATED",
        "WORKFLOW_SUSPENDED",
        "CHILD_WORKFLOW_STARTED",
        "CHILD_WORKFLOW_COMPLETED",
        "WORKFLOW_RESUMED",
        "WORKFLOW_COMPLETED",
    ]
    path = f"workflow-executions/{execution}/stream/consolidated"
    with deployed.user.stream(path, format="cloudevents") as arriving:
        told = parse(b"".join(arriving))
    types = [json.loads(event.data)["type"] for event in told]
    ends = [n for n, type in enumerate(types) if type == "workflow.completed"]
    assert len(types) == len({event.last_event_id for event in told}) == 14
    assert ends[0] < types.index("child.completed") < ends[1] == 13


def test_an_order_is_charged_at_the_third_attempt(deployed: Deployed) -> None:
    execution = deployed.start("order", input={"order_id": "A-7"})
    output = deployed.ended(execution)["output"]
    assert (output["order_id"], output["charged_cents"]) == ("A-7", 750)
    types = [type for _, type in deployed.history(execution)]
    assert types.count("TASK_FAILED") == 2
    assert types.count("TASK_COMPLETED") == 3


def test_a_worker_elsewhere_polls_claims_and_completes_with_the_lease_that_it_was_given(
    deployed: Deployed,
) -> None:
    deployed.worker.post("workers", {"name": "resizer", "queue": "images", "taskKinds": ["resize"]})
    started = deployed.user.post("task-executions", {"kind": "resize", "input": {"width": 7}, "queue": "images"})
    task = started["taskExecutionId"]
    deployed.quiet()
    poll = {"workerId": "w-1", "kinds": ["resize"], "max": 1, "wait": 0}
    [claimed] = deployed.worker.post("queues/images/poll", poll)["tasks"]
    assert (claimed["taskExecutionId"], claimed["input"], claimed["attempt"]) == (task, {"width": 7}, 1)
    report = {"leaseToken": claimed["leaseToken"], "output": {"done": True}}
    sequence = deployed.worker.post(f"task-executions/{task}/complete", report)["sequence"]
    assert deployed.worker.post(f"task-executions/{task}/complete", report)["sequence"] == sequence
    shown = deployed.user.get(f"task-executions/{task}")
    assert (shown["status"], shown["output"]) == ("COMPLETED", {"done": True})


def test_each_function_has_begun_once(deployed: Deployed) -> None:
    for _ in range(2):
        deployed.ended(deployed.start("failing-task"))
    names = ("authorizer", "executions", "resumer", "worker", "projector")
    assert {name: deployed.stack.function(name).cold_starts for name in names} == dict.fromkeys(names, 1)
