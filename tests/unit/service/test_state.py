"""The workflow's own state as clients see it: what its code has set and not cleared."""

from __future__ import annotations

import pytest

from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import NotFound, PayloadTooLarge
from flowstrand.jsonvalue import JsonValue
from flowstrand.service.executions import get_state
from tests.unit.service.service_world import ORG, ServiceWorld, work

LARGE = "x" * 10_000


async def remembers(driver: Driver, input: JsonValue) -> JsonValue:
    driver.set_value("b", 1)
    driver.set_value("a", {"n": 1})
    driver.set_value("gone", True)
    await work(driver)
    driver.clear_value("gone")
    driver.set_value("b", LARGE)
    return await work(driver)


def test_every_value_is_shown_by_key_as_it_was_set_last() -> None:
    world = ServiceWorld()
    execution = world.begin(remembers)
    assert get_state(world.services, ORG, execution) == {"a": {"n": 1}, "b": 1, "gone": True}
    [task] = world.claim()
    world.complete(task)
    world.settle()
    assert get_state(world.services, ORG, execution) == {"a": {"n": 1}, "b": LARGE}


def test_one_key_is_shown_alone() -> None:
    world = ServiceWorld()
    execution = world.begin(remembers)
    assert get_state(world.services, ORG, execution, "b") == {"b": 1}
    assert get_state(world.services, ORG, execution, "nothing") == {}


def test_values_of_one_commit_are_read_at_once() -> None:
    world = ServiceWorld()
    execution = world.begin(remembers)
    world.seam.rows_read = 0
    get_state(world.services, ORG, execution)
    both = world.seam.rows_read
    world.seam.rows_read = 0
    get_state(world.services, ORG, execution, "a")
    assert world.seam.rows_read == both


async def remembers_much(driver: Driver, input: JsonValue) -> JsonValue:
    for key in "abcdef":
        driver.set_value(key, key * 1_000_000)
    return await work(driver)


def test_a_state_that_no_answer_can_hold_is_shown_key_by_key() -> None:
    world = ServiceWorld()
    execution = world.begin(remembers_much)
    with pytest.raises(PayloadTooLarge) as caught:
        get_state(world.services, ORG, execution)
    assert caught.value.code == "STATE_TOO_LARGE"
    assert get_state(world.services, ORG, execution, "f") == {"f": "f" * 1_000_000}


def test_an_unknown_execution_has_no_state() -> None:
    with pytest.raises(NotFound):
        get_state(ServiceWorld().services, ORG, "01NOBODY")
