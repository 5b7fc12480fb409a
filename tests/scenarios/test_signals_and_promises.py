"""S7 and signals: what comes from outside is recorded once, in order, and heard, on every store, warm and cold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.scenarios.transports import TRANSPORTS, history
from tests.scenarios.world import Answer, World


def signal(
    world: World, execution: str, value: Any = None, *, name: str = "say", request_id: str | None = None
) -> Answer:
    body: dict[str, Any] = {"signalName": name, "signalValue": value}
    if request_id:
        body["requestId"] = request_id
    return world.request("POST", f"/workflow-executions/{execution}/signal", body)


def settle(world: World, promise: str, verb: str, body: dict[str, Any]) -> Answer:
    return world.request("POST", f"/promises/{promise}/{verb}", body)


def assert_log(world: World, execution: str, names: str) -> None:
    expected = list(enumerate(names.split(), start=1))
    for transport in TRANSPORTS:
        assert transport(world, execution) == expected, transport.__name__


def test_a_conversation_hears_every_signal_in_order(world: World) -> None:
    execution = world.start("conversation")
    world.settle()
    assert signal(world, execution, "a").body == {"signalEventSequence": 3}
    assert signal(world, execution, "b").body == {"signalEventSequence": 4}
    world.settle()
    signal(world, execution, "end")
    world.settle()
    assert world.get(execution)["output"] == ["a", "b"]
    turn = "WORKFLOW_RESUMED WORKFLOW_SUSPENDED"
    assert_log(
        world,
        execution,
        "WORKFLOW_STARTED WORKFLOW_SUSPENDED SIGNAL_RECEIVED SIGNAL_RECEIVED "
        f"{turn} SIGNAL_RECEIVED WORKFLOW_RESUMED WORKFLOW_COMPLETED",
    )


def test_a_signal_during_a_turn_is_the_next_turns(world: World) -> None:
    execution = world.start("conversation")
    world.settle()
    signal(world, execution, "a")

    def interrupt(_: Any) -> None:
        signal(world, execution, "end")

    world.log.before_append = interrupt
    world.settle()
    assert world.get(execution)["output"] == ["a"]


def test_a_repeated_signal_is_one(world: World) -> None:
    execution = world.start("conversation")
    world.settle()
    assert signal(world, execution, "a", request_id="r") == signal(world, execution, "a", request_id="r")
    signal(world, execution, "end")
    world.settle()
    assert world.get(execution)["output"] == ["a"]
    assert signal(world, execution, "a", request_id="r").body == {"signalEventSequence": 3}
    late = signal(world, execution, "late")
    assert (late.status, late.body["code"]) == (409, "EXECUTION_CLOSED")


@pytest.mark.parametrize("by", ["id", "key"])
def test_s7_a_promise_is_settled_once(world: World, by: str) -> None:
    execution = world.start("approval", "order-7")
    world.settle()
    promise = f"{execution}.p1" if by == "id" else "key:order-7"
    assert settle(world, promise, "resolve", {"value": "yes"}).body == {"sequence": 4, "alreadyResolved": False}
    for verb, body in (("resolve", {"value": "no"}), ("reject", {"error": {"type": "E", "message": "no"}})):
        assert settle(world, promise, verb, body).body == {"sequence": 4, "alreadyResolved": True}
    world.settle()
    assert world.get(execution)["output"] == "yes"
    assert settle(world, promise, "resolve", {"value": "no"}).body == {"sequence": 4, "alreadyResolved": True}
    assert_log(
        world,
        execution,
        "WORKFLOW_STARTED PROMISE_CREATED WORKFLOW_SUSPENDED PROMISE_RESOLVED WORKFLOW_RESUMED WORKFLOW_COMPLETED",
    )


def test_a_rejected_promise_raises_in_the_workflow(world: World) -> None:
    execution = world.start("approval", "order-8")
    world.settle()
    settle(world, "key:order-8", "reject", {"error": {"type": "TooExpensive", "message": "over budget"}})
    world.settle()
    assert world.get(execution)["output"] == "rejected: TooExpensive: over budget"
    assert [name for _, name in history(world, execution)][3] == "PROMISE_REJECTED"


def test_nobody_can_settle_what_was_never_promised(world: World) -> None:
    execution = world.start("approval", "order-9")
    world.settle()
    for promise in (f"{execution}.p2", "key:order-10", "nonsense"):
        answer = settle(world, promise, "resolve", {"value": 1})
        assert (answer.status, answer.body["code"]) == (404, "PROMISE_NOT_FOUND"), json.dumps(promise)
