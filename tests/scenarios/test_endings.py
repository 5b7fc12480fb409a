"""S7, S13 and executions that continue as others, on both stores, warm and with forced cold replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import Commit
from tests.scenarios.transports import TRANSPORTS, Row, Transport, history
from tests.scenarios.world import World

BEGUN = "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED"
CHILD_BEGUN = "WORKFLOW_STARTED CHILD_WORKFLOW_INITIATED WORKFLOW_SUSPENDED CHILD_WORKFLOW_STARTED"


def assert_log(world: World, execution: str, types: str, transports: tuple[Transport, ...] = (history,)) -> None:
    """The transports show exactly this log."""
    expected: list[Row] = list(enumerate(types.split(), start=1))
    for transport in transports:
        assert transport(world, execution) == expected, transport.__name__


def ask(world: World, execution: str, **options: Any) -> int:
    """Ask for the execution to be cancelled."""
    answer = world.cancel(execution, **options)
    assert answer.status == 200, answer
    return int(answer.body["sequence"])


def asking(world: World, execution: str) -> Callable[[Commit], None]:
    """Ask for it when somebody is about to append."""

    def act(_: Commit) -> None:
        ask(world, execution)

    return act


def begin(world: World, kind: str, input: Any = None) -> str:
    execution = world.start(kind, input)
    world.settle()
    return execution


def end(world: World, execution: str) -> Any:
    """The data of the terminal event."""
    answer = world.request("GET", f"/workflow-executions/{execution}/events", limit="1000")
    return answer.body["events"][-1]["data"]


def say(world: World, execution: str, word: str) -> None:
    """Send a signal to where the execution has got to."""
    assert world.signal(execution, "word", word).status == 200


# --- S13: cancellation --------------------------------------------------------------------------


def test_s13_pending(world: World) -> None:
    execution = world.start("works")
    assert ask(world, execution, reason="never mind") == 2
    assert_log(world, execution, "WORKFLOW_STARTED CANCELLATION_REQUESTED WORKFLOW_CANCELLED")
    commits = world.services.log.read(world.key(execution), after=0)
    assert [commit.count for commit in commits] == [1, 2]
    world.settle()
    assert world.get(execution)["status"] == "CANCELLED"
    assert end(world, execution)["reason"] == "never mind"


def test_s13_waiting(world: World) -> None:
    execution = begin(world, "works")
    assert ask(world, execution) == 4
    assert world.get(execution)["status"] == "CANCELLING"
    world.settle()
    types = f"{BEGUN} CANCELLATION_REQUESTED WORKFLOW_RESUMED TASK_CANCELLED WORKFLOW_CANCELLED"
    assert_log(world, execution, types, TRANSPORTS)
    assert (end(world, execution)["horizon"], end(world, execution)["unseen"]) == (4, [])


def test_s13_running_while_its_task_runs(world: World) -> None:
    execution = begin(world, "works")
    task = world.claim("work")["work"]
    ask(world, execution)
    world.settle()
    assert_log(
        world,
        execution,
        f"{BEGUN} TASK_STARTED CANCELLATION_REQUESTED WORKFLOW_RESUMED TASK_CANCELLED WORKFLOW_CANCELLED",
    )
    path = f"/task-executions/{task['taskExecutionId']}/complete"
    answer = world.request("POST", path, {"leaseToken": task["leaseToken"], "output": None})
    assert (answer.status, answer.body["code"]) == (409, "EXECUTION_CLOSED")


def test_s13_running_when_the_request_comes_during_the_turn_that_completes(world: World) -> None:
    """One end, decided by the append: the code had returned before it could see the request."""
    execution = begin(world, "works")
    task = world.claim("work")["work"]
    world.settle()
    world.complete(task, "made")
    world.log.before_append = asking(world, execution)
    world.settle()
    assert_log(
        world,
        execution,
        f"{BEGUN} TASK_STARTED TASK_COMPLETED CANCELLATION_REQUESTED WORKFLOW_RESUMED WORKFLOW_COMPLETED",
    )
    assert (end(world, execution)["horizon"], end(world, execution)["unseen"]) == (5, [6])
    refused = world.cancel(execution)
    assert (refused.status, refused.body["code"]) == (409, "EXECUTION_CLOSED")


def test_s13_running_when_the_request_comes_during_the_first_turn(world: World) -> None:
    """It has committed no turn, so it ends at once; what the turn asks for is dropped."""
    execution = world.start("works")
    world.log.before_append = asking(world, execution)
    world.settle()
    assert_log(world, execution, "WORKFLOW_STARTED CANCELLATION_REQUESTED WORKFLOW_CANCELLED")


def test_s13_with_compensation(world: World) -> None:
    execution = begin(world, "undoes")
    world.complete(world.claim("charge")["charge"])
    world.settle()
    ask(world, execution)
    world.settle()
    world.complete(world.claim("refund")["refund"])
    world.settle()
    assert_log(
        world,
        execution,
        f"{BEGUN} TASK_STARTED TASK_COMPLETED WORKFLOW_RESUMED TASK_CREATED WORKFLOW_SUSPENDED "
        "CANCELLATION_REQUESTED WORKFLOW_RESUMED TASK_CREATED WORKFLOW_SUSPENDED TASK_STARTED TASK_COMPLETED "
        "WORKFLOW_RESUMED TASK_CANCELLED WORKFLOW_CANCELLED",
    )


@pytest.mark.parametrize(("how", "status"), [("returns", "COMPLETED"), ("raises", "FAILED")])
def test_s13_code_that_catches_its_cancellation_decides_how_it_ends(world: World, how: str, status: str) -> None:
    execution = begin(world, "survives", how)
    ask(world, execution, reason="late")
    world.settle()
    shown = world.get(execution)
    assert shown["status"] == status
    assert shown.get("output") == ("survived: late" if how == "returns" else None)
    assert_log(
        world, execution, f"{BEGUN} CANCELLATION_REQUESTED WORKFLOW_RESUMED TASK_CANCELLED WORKFLOW_{status}"
    )


def test_s13_with_grandchildren(world: World) -> None:
    execution = begin(world, "generation", 2)
    ask(world, execution, reason="all of it")
    world.settle()
    asked = "CANCELLATION_REQUESTED CHILD_WORKFLOW_CANCELLATION_REQUESTED WORKFLOW_RESUMED WORKFLOW_CANCELLED"
    assert_log(world, execution, f"{CHILD_BEGUN} {asked}")
    assert_log(world, f"{execution}.c1", f"{CHILD_BEGUN} {asked}")
    assert_log(
        world,
        f"{execution}.c1.c1",
        f"{BEGUN} CANCELLATION_REQUESTED WORKFLOW_RESUMED TASK_CANCELLED WORKFLOW_CANCELLED",
    )
    assert end(world, f"{execution}.c1.c1")["reason"] == "all of it"


def test_s13_forced(world: World) -> None:
    execution = begin(world, "undoes")
    ask(world, execution, force=True)
    world.settle()
    assert_log(world, execution, f"{BEGUN} CANCELLATION_REQUESTED TASK_CANCELLED WORKFLOW_CANCELLED")
    assert (end(world, execution)["horizon"], end(world, execution)["unseen"]) == (1, [4])


@pytest.mark.parametrize(("policy", "turns"), [("CANCEL", 1), ("TERMINATE", 0)])
def test_generations_below_an_execution_that_ended_are_cancelled(world: World, policy: str, turns: int) -> None:
    execution = begin(world, "leaves", policy)
    world.jump(1)
    assert_log(
        world,
        execution,
        "WORKFLOW_STARTED CHILD_WORKFLOW_INITIATED TIMER_STARTED WORKFLOW_SUSPENDED CHILD_WORKFLOW_STARTED "
        "TIMER_FIRED WORKFLOW_RESUMED CHILD_WORKFLOW_CANCELLATION_REQUESTED WORKFLOW_COMPLETED",
    )
    for below in (f"{execution}.c1", f"{execution}.c1.c1"):
        assert world.get(below)["status"] == "CANCELLED"
        assert end(world, below)["reason"] == "the parent workflow has ended"
    assert [type for _, type in history(world, f"{execution}.c1")].count("WORKFLOW_RESUMED") == turns


def test_a_child_that_is_abandoned_goes_on(world: World) -> None:
    execution = begin(world, "leaves", "ABANDON")
    world.jump(1)
    assert world.get(execution)["status"] == "COMPLETED"
    world.complete(world.claim("work")["work"], "made")
    world.settle()
    assert world.get(f"{execution}.c1")["output"] == "made"
    assert history(world, execution)[-1][1] == "WORKFLOW_COMPLETED"


def test_a_child_that_is_given_up_is_cancelled_and_its_parent_hears_of_it(world: World) -> None:
    execution = begin(world, "gives-up")
    world.jump(1)
    assert_log(
        world,
        execution,
        "WORKFLOW_STARTED CHILD_WORKFLOW_INITIATED TIMER_STARTED WORKFLOW_SUSPENDED CHILD_WORKFLOW_STARTED "
        "TIMER_FIRED WORKFLOW_RESUMED CHILD_WORKFLOW_CANCELLATION_REQUESTED WORKFLOW_SUSPENDED "
        "CHILD_WORKFLOW_FAILED WORKFLOW_RESUMED WORKFLOW_COMPLETED",
    )
    assert world.get(execution)["output"] == "CANCELLED: enough"


def test_a_child_has_the_id_of_its_authors_choice_unless_another_execution_has_it(world: World) -> None:
    first = begin(world, "names-its-child", "order-7")
    second = begin(world, "names-its-child", "order-7")
    assert world.get(second)["output"] == "ALREADY_EXISTS: WorkflowAlreadyExists"
    assert_log(
        world,
        second,
        "WORKFLOW_STARTED CHILD_WORKFLOW_INITIATED WORKFLOW_SUSPENDED CHILD_WORKFLOW_FAILED WORKFLOW_RESUMED "
        "WORKFLOW_COMPLETED",
    )
    world.complete(world.claim("work")["work"], "made")
    world.settle()
    assert world.get(first)["output"] == "made"
    assert world.get("order-7")["parentWorkflowExecutionId"] == first


# --- S7: promises -------------------------------------------------------------------------------

ASKED = "WORKFLOW_STARTED PROMISE_CREATED WORKFLOW_SUSPENDED"
FIRST, AGAIN = {"sequence": 4, "alreadyResolved": False}, {"sequence": 4, "alreadyResolved": True}


def resolve(world: World, promise: str, value: JsonValue) -> Any:
    answer = world.settle_promise(promise, "resolve", {"value": value})
    assert answer.status == 200, answer
    return answer.body


def reject(world: World, promise: str) -> Any:
    answer = world.settle_promise(promise, "reject", {"error": {"type": "Denied", "message": "no"}})
    assert answer.status == 200, answer
    return answer.body


@pytest.mark.parametrize("address", ["id", "key"])
def test_s7_a_promise_resolved_twice_and_rejected_afterwards(world: World, address: str) -> None:
    execution = begin(world, "asks", "order/7" if address == "key" else None)
    name = "key:order/7" if address == "key" else f"{execution}.p1"
    assert resolve(world, name, {"by": "Ann"}) == FIRST
    assert resolve(world, name, {"by": "Bob"}) == AGAIN
    assert reject(world, name) == AGAIN
    world.settle()
    assert reject(world, name) == AGAIN
    assert_log(world, execution, f"{ASKED} PROMISE_RESOLVED WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.get(execution)["output"] == {"by": "Ann"}


def test_s7_a_promise_rejected_and_resolved_afterwards(world: World) -> None:
    execution = begin(world, "asks")
    assert reject(world, f"{execution}.p1") == FIRST
    assert resolve(world, f"{execution}.p1", 1) == AGAIN
    world.settle()
    assert_log(world, execution, f"{ASKED} PROMISE_REJECTED WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.get(execution)["output"] == "rejected: Denied"


def test_s7_a_promise_resolved_after_its_timeout(world: World) -> None:
    execution = begin(world, "asks")
    world.jump(60)
    assert resolve(world, f"{execution}.p1", 1) == AGAIN
    assert_log(world, execution, f"{ASKED} PROMISE_TIMED_OUT WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.get(execution)["output"] == "timed out"


# --- going on as another ------------------------------------------------------------------------


def test_a_conversation_goes_on_over_a_chain_of_executions(world: World) -> None:
    execution = begin(world, "converses", [])
    for word in ("a", "b", "c"):
        say(world, execution, word)
    world.settle()
    assert world.get(execution)["continuedAs"] == f"{execution}.n1"
    assert world.get(f"{execution}.n2")["output"] == ["a", "b", "c"]
    heard = "SIGNAL_RECEIVED WORKFLOW_RESUMED WORKFLOW_COMPLETED"
    assert_log(
        world,
        execution,
        f"WORKFLOW_STARTED WORKFLOW_SUSPENDED SIGNAL_RECEIVED SIGNAL_RECEIVED {heard}",
    )
    assert_log(world, f"{execution}.n1", "WORKFLOW_STARTED SIGNAL_RECEIVED SIGNAL_RECEIVED WORKFLOW_COMPLETED")
    assert_log(world, f"{execution}.n2", "WORKFLOW_STARTED SIGNAL_RECEIVED WORKFLOW_COMPLETED")


def test_a_parent_waits_for_the_last_of_the_chain(world: World) -> None:
    execution = begin(world, "hears")
    child = f"{execution}.c1"
    for word in ("a", "b"):
        say(world, child, word)
        world.settle()
    assert world.get(execution)["status"] == "WAITING"
    say(world, child, "c")
    world.settle()
    assert world.get(execution)["output"] == ["a", "b", "c"]
    assert_log(world, execution, f"{CHILD_BEGUN} CHILD_WORKFLOW_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED")


def test_cancelling_a_parent_reaches_the_last_of_its_childs_chain(world: World) -> None:
    execution = begin(world, "hears")
    child = f"{execution}.c1"
    say(world, child, "a")
    world.settle()
    ask(world, execution)
    world.settle()
    assert world.get(child)["status"] == "COMPLETED"
    assert_log(
        world,
        f"{child}.n1",
        "WORKFLOW_STARTED WORKFLOW_SUSPENDED CANCELLATION_REQUESTED WORKFLOW_RESUMED WORKFLOW_CANCELLED",
    )
