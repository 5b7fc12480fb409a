"""S8: a hundred callers signal-with-start at once: one execution that hears every one of them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from flowstrand.jsonvalue import JsonObject, JsonValue
from tests.scenarios.transports import history
from tests.scenarios.world import Answer, World

CALLERS = 100


def _signal(world: World, value: JsonValue = None, **fields: JsonValue) -> Answer:
    body: JsonObject = {"workflowId": "chat-7", "kind": "conversation", "signalName": "say", "signalValue": value}
    return world.request("POST", "/workflow-executions/signal-with-start", {**body, **fields})


def _signal_until_answered(world: World, number: int) -> Answer:
    """As a client does: what is busy is asked again, as the same request."""
    while (answer := _signal(world, f"{number:03}", requestId=f"{number}")).status == 503:
        assert answer.body["code"] == "BUSY"
    return answer


def _signal_at_once(world: World) -> str:
    """Signal from everywhere at once, each with a value of its own; the one execution that came of it."""
    with world.resuming(), ThreadPoolExecutor(max_workers=CALLERS) as callers:
        answers = list(callers.map(lambda n: _signal_until_answered(world, n), range(CALLERS)))
    assert Counter(answer.status for answer in answers) == {201: 1, 200: CALLERS - 1}
    [execution] = {answer.body["workflowExecutionId"] for answer in answers}
    told = {answer.body["signalEventSequence"] for answer in answers}
    recorded = {sequence for sequence, name in history(world, str(execution)) if name == "SIGNAL_RECEIVED"}
    assert (told, len(told)) == (recorded, CALLERS)
    return str(execution)


@pytest.fixture
def world(busy_world: World) -> World:
    return busy_world


def test_s8_a_hundred_callers_make_one_execution_and_a_hundred_signals(world: World) -> None:
    execution = _signal_at_once(world)
    assert [name for _, name in history(world, execution)][:2] == ["WORKFLOW_STARTED", "SIGNAL_RECEIVED"]
    _signal(world, "end")
    world.settle()
    assert world.get(execution)["status"] == "COMPLETED"
    assert sorted(world.get(execution)["output"]) == [f"{n:03}" for n in range(CALLERS)]


def test_an_execution_that_has_ended_gives_its_name_to_one_that_begins_with_the_signal(world: World) -> None:
    first = _signal(world, "end")
    world.settle()
    second = _signal(world, "hello")
    assert (first.status, second.status, second.body["signalEventSequence"]) == (201, 201, 2)
    execution = second.body["workflowExecutionId"]
    assert execution != first.body["workflowExecutionId"]
    assert history(world, execution) == [(1, "WORKFLOW_STARTED"), (2, "SIGNAL_RECEIVED")]


def test_the_name_is_an_idempotency_key(world: World) -> None:
    started = world.request("POST", "/workflow-executions", {"kind": "conversation", "idempotencyKey": "chat-7"})
    answer = _signal(world, "a")
    assert (answer.status, answer.body["signalEventSequence"]) == (200, 2)
    assert answer.body["workflowExecutionId"] == started.body["workflowExecutionId"]


def test_an_open_execution_of_another_kind_is_not_signalled(world: World) -> None:
    _signal(world, "a")
    answer = _signal(world, "b", kind="catches")
    assert (answer.status, answer.body["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
