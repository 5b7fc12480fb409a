"""S12: one idempotency key, many starts at once: one execution, and everybody is told which."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from flowstrand.jsonvalue import JsonObject, JsonValue
from tests.scenarios.world import Answer, World

CALLERS = 50
DAY_S = 86_400


def _start(world: World, **fields: JsonValue) -> Answer:
    body: JsonObject = {"kind": "catches", "input": None, "idempotencyKey": "order-1042", **fields}
    return world.request("POST", "/workflow-executions", body)


def _start_at_once(world: World, **fields: JsonValue) -> str:
    """Start from everywhere at once; the one execution that came of it."""
    with ThreadPoolExecutor(max_workers=CALLERS) as callers:
        answers = list(callers.map(lambda _: _start(world, **fields), range(CALLERS)))
    assert Counter(answer.status for answer in answers) == {201: 1, 200: CALLERS - 1}
    assert {answer.body["idempotencyKeyNew"] for answer in answers if answer.status == 201} == {True}
    assert {answer.body["idempotencyKeyNew"] for answer in answers if answer.status == 200} == {False}
    [execution] = {answer.body["workflowExecutionId"] for answer in answers}
    return str(execution)


def _finish(world: World) -> None:
    world.settle()
    world.fail(world.claim("fails")["fails"])
    world.settle()


@pytest.fixture
def world(busy_world: World) -> World:
    return busy_world


def test_s12_fifty_starts_at_once_make_one_execution(world: World) -> None:
    first = _start_at_once(world)
    _finish(world)
    assert world.get(first)["status"] == "COMPLETED"
    assert _start(world).body["workflowExecutionId"] == first


def test_s12_once_more_after_it_was_cancelled(world: World) -> None:
    first = _start_at_once(world)
    world.settle()
    world.request("POST", f"/workflow-executions/{first}/cancel", {"force": True})
    assert world.get(first)["status"] == "CANCELLED"
    second = _start_at_once(world)
    assert second != first
    assert _start(world).body["workflowExecutionId"] == second


def test_s12_once_more_after_it_failed(world: World) -> None:
    first = _start_at_once(world, timeoutSeconds=10)
    world.settle()
    world.jump(11)
    assert world.get(first)["status"] == "FAILED"
    assert _start_at_once(world) != first


def test_s12_once_more_after_its_time(world: World) -> None:
    first = _start_at_once(world, idempotencyKeyTTL="5m")
    _finish(world)
    world.jump(200)
    assert _start(world).body["workflowExecutionId"] == first
    world.jump(200)
    assert _start_at_once(world) != first


def test_a_key_lasts_as_long_as_its_execution_is_open(world: World) -> None:
    first = _start(world, idempotencyKeyTTL="1s").body["workflowExecutionId"]
    world.settle()
    world.jump(40 * DAY_S)
    again = _start(world)
    assert (again.status, again.body["workflowExecutionId"], again.body["status"]) == (200, first, "WAITING")


@pytest.mark.parametrize("fields", [{"kind": "retries"}, {"input": {"n": 1}}, {"input": False}, {"input": 0}])
def test_a_key_is_not_reused_for_something_else(world: World, fields: dict[str, JsonValue]) -> None:
    _start(world)
    answer = _start(world, **fields)
    assert (answer.status, answer.body["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_the_order_of_an_inputs_fields_makes_no_difference(world: World) -> None:
    large = "x" * 20_000
    first = _start(world, input={"a": 1, "b": large})
    again = _start(world, input={"b": large, "a": 1})
    assert (again.status, again.body["workflowExecutionId"]) == (200, first.body["workflowExecutionId"])
