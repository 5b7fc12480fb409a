"""Starts under a key: claimed first, then begun; whatever ends in between is finished by the next caller."""

from __future__ import annotations

import json

import pytest

from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Conflict, NotFound, PayloadTooLarge, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.service.cancel import cancel
from flowstrand.service.executions import StartRequest
from flowstrand.service.start_once import Started, start_once
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, kill, unavailable, work

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


async def works(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver)


async def goes_on(driver: Driver, input: JsonValue) -> JsonValue:
    """Continues as another once, and works there."""
    if input == "first":
        await driver.continue_as("second")
    return await work(driver)


@pytest.fixture
def world() -> ServiceWorld:
    world = ServiceWorld()
    world.code.deployed |= {"works": works, "goes_on": goes_on}
    return world


def start(
    world: ServiceWorld,
    kind: str = "works",
    input: JsonValue = None,
    *,
    key: str = "k",
    ttl_ms: int = HOUR_MS,
    org: OrgId = ORG,
) -> Started:
    return start_once(world.services, org, StartRequest(kind=kind, input=input), key, ttl_ms=ttl_ms)


def started(world: ServiceWorld, kind: str = "works", input: JsonValue = None, *, ttl_ms: int = HOUR_MS) -> str:
    """The execution of a start that made one."""
    made = start(world, kind, input, ttl_ms=ttl_ms)
    assert made.is_new
    return made.snapshot.workflow_execution_id


def repeated(world: ServiceWorld, kind: str = "works", input: JsonValue = None) -> str:
    """The execution of a start that found one."""
    found = start(world, kind, input)
    assert not found.is_new
    return found.snapshot.workflow_execution_id


def finish(world: ServiceWorld) -> None:
    world.settle()
    [task] = world.claim()
    world.complete(task)
    world.settle()


def claimed(world: ServiceWorld) -> list[str]:
    """The execution of every claim."""
    return [
        str(json.loads(data)["execution"])
        for partition, rows in world.disk.items.items()
        if partition.startswith("idempotency#")
        for data, _ in rows.values()
    ]


def test_a_claim_without_an_execution_is_finished_by_the_next_caller_under_its_id(world: ServiceWorld) -> None:
    world.seam.after("directory.put", kill)
    with pytest.raises(Killed):
        start(world)
    [execution] = claimed(world)
    assert started(world) == execution
    assert world.types(execution) == "WORKFLOW_STARTED"


def test_a_claim_that_has_run_out_before_its_execution_began_is_taken_over_with_its_id(
    world: ServiceWorld,
) -> None:
    world.seam.after("directory.put", kill)
    with pytest.raises(Killed):
        start(world, ttl_ms=1_000)
    [abandoned] = claimed(world)
    world.clock.advance(2_000)
    execution = started(world)
    assert abandoned == execution
    finish(world)
    world.clock.advance(HOUR_MS // 2)
    assert repeated(world) == execution


def test_a_log_that_has_been_and_gone_is_not_begun_again(world: ServiceWorld) -> None:
    execution = started(world)
    world.disk.commits.clear()
    world.restart()
    world.clock.advance(HOUR_MS + DAY_MS)
    assert started(world) != execution


def test_whoever_claims_first_decides_the_id_and_whoever_begins_first_has_made_it(world: ServiceWorld) -> None:
    found: list[Started] = []
    world.seam.before("log.put", lambda: found.append(start(world)))
    late = start(world)
    assert (found[0].is_new, late.is_new) == (True, False)
    assert late.snapshot.workflow_execution_id == found[0].snapshot.workflow_execution_id


def test_two_who_find_no_claim_agree_on_one(world: ServiceWorld) -> None:
    found: list[Started] = []
    world.seam.before("directory.put", lambda: found.append(start(world)))
    late = start(world)
    assert (found[0].is_new, late.is_new) == (True, False)
    assert late.snapshot.workflow_execution_id == found[0].snapshot.workflow_execution_id


def test_a_start_that_ends_before_its_wake_is_woken_when_it_is_repeated(world: ServiceWorld) -> None:
    world.seam.before("control.send", kill)
    with pytest.raises(Killed):
        start(world)
    assert world.wakes() == []
    execution = repeated(world)
    assert [wake.execution_id for wake in world.wakes()] == [execution]
    world.settle()
    repeated(world)
    assert world.wakes() == []


def test_a_store_that_fails_leaves_a_start_that_can_be_repeated(world: ServiceWorld) -> None:
    world.seam.after("directory.put", unavailable)
    with pytest.raises(StoreUnavailable):
        start(world)
    assert world.types(started(world)) == "WORKFLOW_STARTED"


def test_a_completed_execution_keeps_its_key_until_its_time_has_passed(world: ServiceWorld) -> None:
    first = started(world)
    finish(world)
    world.clock.advance(HOUR_MS - 1)
    assert repeated(world) == first
    world.clock.advance(1)
    assert started(world) != first


def test_a_cancelled_execution_leaves_its_key_at_once(world: ServiceWorld) -> None:
    first = started(world)
    cancel(world.services, ORG, first, force=True)
    second = started(world)
    assert second != first
    assert repeated(world) == second


def test_of_an_execution_that_has_continued_the_newest_counts(world: ServiceWorld) -> None:
    first = started(world, "goes_on", "first", ttl_ms=1_000)
    world.settle()
    world.clock.advance(DAY_MS)
    assert repeated(world, "goes_on", "first") == first
    cancel(world.services, ORG, f"{first}.n1", force=True)
    assert started(world, "goes_on", "first") != first


def test_a_key_does_not_stand_for_something_else(world: ServiceWorld) -> None:
    first = started(world, input={"amount": 1})
    others: list[tuple[str, JsonValue]] = [
        ("goes_on", {"amount": 1}),
        ("works", {"amount": True}),
        ("works", None),
    ]
    for kind, input in others:
        with pytest.raises(Conflict) as caught:
            start(world, kind, input)
        assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"
        assert first in caught.value.message


def test_inputs_that_were_encoded_are_not_compared(world: ServiceWorld) -> None:
    def encoded(data: str) -> JsonValue:
        return {"$flowstrand": "encoded", "codecs": ["aes"], "data": data}

    first = started(world, input=encoded("one"))
    assert repeated(world, input=encoded("another")) == first


def test_what_cannot_be_started_claims_no_key(world: ServiceWorld) -> None:
    with pytest.raises(NotFound):
        start(world, "unknown")
    with pytest.raises(PayloadTooLarge):
        start(world, input="x" * 1_048_576)
    assert claimed(world) == []


def test_keys_are_their_orgs(world: ServiceWorld) -> None:
    assert start(world).is_new
    assert start(world, org=OrgId("other")).is_new
    assert start(world, key="other").is_new
