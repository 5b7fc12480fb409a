"""A stack that runs its own tasks: through its handlers, on both stores, with no worker anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from flowstrand.hosting import host
from flowstrand.local.stores import Stores
from flowstrand.service import claims, queue_limits
from flowstrand.service.container import install
from tests.contract.endpoints import one_dynamodb_request_at_a_time
from tests.scenarios.hosting import APP, CANCELLING, Context, Hosting
from tests.scenarios.world import ORG, PacedClock, World


@pytest.fixture(params=("sqlite", "dynamodb"))
def hosting(
    request: pytest.FixtureRequest, both_stores: dict[str, Stores], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hosting]:
    monkeypatch.setenv("FLOWSTRAND_HOSTED_QUEUE", "default")
    made = Hosting(World(both_stores[request.param], warm=16, programs=APP, clock=PacedClock()))
    uninstall = install(made.services)
    with one_dynamodb_request_at_a_time():
        yield made
    uninstall()


def started(hosting: Hosting, kind: str) -> tuple[str, Any]:
    """An execution that waits for a task of this kind, and the task's message."""
    execution = hosting.world.start("runs", kind)
    hosting.world.settle()
    (taken,) = hosting.stack.queue.take(limit=10)
    hosting.stack.queue.remove(taken.receipt)
    return execution, taken.message


def tasks_of(hosting: Hosting, execution: str) -> list[dict[str, Any]]:
    """Its tasks, as clients see them."""
    tasks: list[dict[str, Any]] = hosting.world.request("GET", f"/workflow-executions/{execution}/tasks").body[
        "tasks"
    ]
    return tasks


def test_an_execution_ends_without_a_worker(hosting: Hosting) -> None:
    execution = hosting.world.start("hosted", [1, 2, 3])

    assert hosting.finish(execution)["output"] == [2, 4, 6, 13]
    assert hosting.types(execution).count("STREAM_TOKEN") == 3
    assert {task["workerId"] for task in tasks_of(hosting, execution)} == {"hosted-request-1"}


def test_a_failed_attempt_is_tried_again_after_its_delay(hosting: Hosting) -> None:
    execution = hosting.world.start("runs", "unlucky")

    assert hosting.finish(execution)["output"] == "attempt 3"
    assert hosting.types(execution).count("TASK_FAILED") == 2


def test_what_a_hosted_task_has_logged_is_kept_when_its_end_is_known(hosting: Hosting) -> None:
    execution = hosting.world.start("runs", "unlucky")
    hosting.finish(execution)

    answer = hosting.world.request("GET", f"/task-executions/{execution}.t1/logs")

    said = [(record["attempt"], record["message"]) for record in answer.body["records"]]
    assert said == [(number, f"attempt {number}") for number in (1, 2, 3)]


def test_a_message_that_comes_twice_or_long_after_changes_nothing(hosting: Hosting) -> None:
    execution, message = started(hosting, "unlucky")
    hosting.invoke(message)
    hosting.invoke(message)
    assert hosting.types(execution).count("TASK_STARTED") == 1
    hosting.finish(execution)
    before = hosting.types(execution)

    assert hosting.invoke(message) == []
    assert hosting.types(execution) == before


def test_a_function_that_is_killed_with_a_task_loses_its_lease_and_the_task_is_tried_again(
    hosting: Hosting,
) -> None:
    execution, message = started(hosting, "unlucky")
    claimed = claims.claim_one(hosting.services, "default", message, "hosted-killed", APP.task_kinds())
    assert isinstance(claimed, claims.ClaimedTask)
    hosting.invoke(message)  # it comes again when its visibility is over, and finds nothing to do
    assert hosting.types(execution).count("TASK_STARTED") == 1

    hosting.world.jump(61)

    assert tasks_of(hosting, execution)[0]["status"] == "PENDING"
    assert hosting.finish(execution)["output"] == "attempt 3"
    failed = [
        e["data"] for e in hosting.world.request("GET", f"/workflow-executions/{execution}/events").body["events"]
    ]
    assert "LEASE_EXPIRED" in [data.get("failureType") for data in failed]


def test_an_attempt_that_would_outlast_its_function_is_given_up_and_the_next_goes_on_from_there(
    hosting: Hosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution, message = started(hosting, "endless")
    monkeypatch.setattr(host, "Limits", lambda: host_limits)

    hosting.invoke(message, Context(remaining=lambda: 5_000))

    (failed,) = tasks_of(hosting, execution)
    assert (failed["status"], failed["executionCount"]) == ("PENDING", 1)
    events = hosting.world.request("GET", f"/workflow-executions/{execution}/events").body["events"]
    assert events[-1]["data"]["error"]["type"] == "HostTimeout"
    assert hosting.finish(execution)["output"] == "went on from {'row': 7}"


host_limits = host.Limits(least_ms=0, margin_ms=4_950)
"""An attempt has 50 ms of five seconds."""


def test_a_task_is_not_begun_where_there_is_no_time_for_it(hosting: Hosting) -> None:
    execution, message = started(hosting, "unlucky")

    hosting.invoke(message, Context(remaining=lambda: 30_000))

    assert hosting.types(execution)[-1] == "WORKFLOW_SUSPENDED"
    assert [taken.message for taken in hosting.stack.queue.take(limit=10)] == [message]


def test_tasks_of_other_kinds_and_of_other_queues_wait_for_workers(hosting: Hosting) -> None:
    execution = hosting.world.start("runs", "somebody-elses")
    hosting.world.settle()
    assert hosting.run() == []

    hosting.world.complete(hosting.world.claim("somebody-elses")["somebody-elses"], "done")

    assert hosting.finish(execution)["output"] == "done"


def test_a_task_whose_code_is_gone_from_the_function_is_left_to_workers(hosting: Hosting) -> None:
    execution = hosting.world.start("runs", "somebody-elses")
    hosting.world.settle()
    (received,) = hosting.world.tasks.receive(ORG, "default", limit=1, wait_s=0)
    hosting.world.tasks.delete(ORG, "default", received)

    hosting.invoke(replace(received.message, kind="double"))  # what a resumer with other code may have thought

    hosting.world.complete(hosting.world.claim("somebody-elses")["somebody-elses"], "done")
    assert hosting.finish(execution)["output"] == "done"


def test_a_task_that_came_before_its_time_comes_again(hosting: Hosting) -> None:
    execution, message = started(hosting, "unlucky")
    hosting.invoke(message)
    hosting.world.settle()
    (retry,) = [replace(message, attempt=2)]

    hosting.invoke(retry)

    assert hosting.types(execution).count("TASK_STARTED") == 1
    assert hosting.finish(execution)["output"] == "attempt 3"


def test_standalone_tasks_run_in_the_stack_too(hosting: Hosting) -> None:
    answer = hosting.world.request("POST", "/task-executions", {"kind": "in-thread", "input": 4})
    assert answer.status == 201, answer
    hosting.world.settle()

    hosting.run()

    task = hosting.world.request("GET", f"/task-executions/{answer.body['taskExecutionId']}").body
    assert (task["status"], task["output"]) == ("COMPLETED", 5)


# --- paused and limited queues ------------------------------------------------------------------


def control(hosting: Hosting, **body: Any) -> None:
    """Say what is to hold for the queue `default`."""
    assert hosting.world.request("PUT", "/queues/default", body).status == 200


def test_a_task_of_a_paused_queue_comes_back_until_it_is_resumed(hosting: Hosting) -> None:
    control(hosting, paused=True)
    execution, message = started(hosting, "unlucky")

    hosting.invoke(message)

    assert hosting.types(execution)[-1] == "WORKFLOW_SUSPENDED"
    assert hosting.stack.queue.next_at_ms() == hosting.world.clock.ms + 60_000
    control(hosting, paused=False)
    assert hosting.finish(execution)["output"] == "attempt 3"


def test_hosted_tasks_begin_no_faster_than_their_queue_allows(hosting: Hosting) -> None:
    control(hosting, maxTasksPerSecond=1)
    execution = hosting.world.start("hosted", [1, 2, 3])
    began_ms = hosting.world.clock.ms

    assert hosting.finish(execution)["output"] == [2, 4, 6, 13]
    assert hosting.world.clock.ms - began_ms >= 3_000


def test_hosted_tasks_are_counted_while_they_run(hosting: Hosting) -> None:
    control(hosting, maxConcurrent=1)
    execution, message = started(hosting, "unlucky")
    other, waiting = started(hosting, "unlucky")
    claimed = claims.claim_one(hosting.services, "default", message, "hosted-killed", APP.task_kinds())
    assert isinstance(claimed, claims.ClaimedTask)
    queue_limits.admit(hosting.services, ORG, "default", [message])

    hosting.invoke(waiting)
    assert hosting.types(other)[-1] == "WORKFLOW_SUSPENDED"

    hosting.world.jump(61)  # the dead function's lease ends, and with it its place
    assert hosting.finish(execution)["output"] == "attempt 3"


def test_a_task_whose_execution_is_cancelled_while_it_runs_is_stopped_and_not_reported(hosting: Hosting) -> None:
    execution, message = started(hosting, "cancels-itself")
    CANCELLING.append(
        lambda: hosting.world.request("POST", f"/workflow-executions/{execution}/cancel", {"force": True})
    )

    assert hosting.invoke(message) == []

    assert hosting.world.get(execution)["status"] == "CANCELLED"
    assert hosting.types(execution)[-1] == "WORKFLOW_CANCELLED"
