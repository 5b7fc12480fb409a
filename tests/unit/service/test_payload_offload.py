"""Large values: stored once under their hash, referenced from the log, inlined for code and readers (S21)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import Event, TaskCompleted, TaskCreated, WorkflowCompleted, WorkflowStarted
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import LogCorrupted, PayloadTooLarge
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import executions, history, payloads, reports
from flowstrand.service.executions import StartRequest
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, work

LARGE = pytest.mark.parametrize("size", [40_000, 900_000])
LOOKALIKES: list[JsonValue] = [
    {"sha256": "0" * 64, "size": 40_000},
    {"refs": {"output": {"sha256": "0" * 64, "size": 40_000}}},
    {"ref": {"sha256": "0" * 64, "size": 40_000}},
    {"v": 1, "type": "TASK_COMPLETED", "data": {}},
    None,
]


async def echoes(driver: Driver, input: JsonValue) -> JsonValue:
    """Hands its input to a task, and returns what the task made of it."""
    return await work(driver, input)


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def echoed(world: ServiceWorld, value: JsonValue) -> str:
    """Run `echoes` over `value` with a worker that echoes."""
    execution = world.begin(echoes, value)
    [task] = world.claim()
    assert task.input == value
    world.complete(task, task.input)
    world.settle()
    return execution


def payloads_of(world: ServiceWorld, execution: str) -> list[object]:
    """Every user's value in the log, as it is stored there."""
    found: list[object] = []
    for event in world.events(execution):
        match event.data:
            case WorkflowStarted(input=value) | TaskCreated(input=value):
                found.append(value)
            case TaskCompleted(output=value) | WorkflowCompleted(output=value):
                found.append(value)
            case _:
                pass
    return found


@LARGE
def test_a_large_value_is_stored_once_however_often_the_log_has_it(world: ServiceWorld, size: int) -> None:
    execution = echoed(world, "x" * size)
    references = payloads_of(world, execution)
    assert len(references) == 4
    [reference] = set(references)
    assert isinstance(reference, PayloadRef)
    assert reference.size == size + 2
    assert list(world.disk.bodies) == [(ORG, reference.sha256)]
    assert sum(len(commit.events) for commit in world.commits(execution)) < 8_000


@LARGE
def test_readers_see_the_value_itself(world: ServiceWorld, size: int) -> None:
    value: JsonValue = {"rows": ["é" * (size // 4)] * 2}
    execution = echoed(world, value)
    events: list[Event] = []
    while len(events) < len(world.events(execution)):  # a page holds at most four megabytes
        page = history.page(world.services, ORG, key_of(execution).execution_id, after=len(events), limit=100)
        events += page.events
    inlined = [
        getattr(event.data, name) for event in events for name in ("input", "output") if hasattr(event.data, name)
    ]
    assert inlined == [value] * 4
    assert executions.get(world.services, ORG, execution).output == value


@pytest.mark.parametrize("warm", [0, 16])
def test_code_sees_the_value_itself_warm_and_cold(warm: int) -> None:
    async def measures(driver: Driver, input: JsonValue) -> JsonValue:
        assert isinstance(input, str)
        made = await work(driver, input)
        ran = await driver.run("make", lambda: "y" * 50_000)
        again = await work(driver)
        assert isinstance(made, str)
        assert isinstance(ran, str)
        return [len(input), len(made), len(ran), again]

    world = ServiceWorld(warm=warm)
    execution = world.begin(measures, "x" * 40_000)
    for output in ("z" * 60_000, "done"):
        [task] = world.claim()
        world.complete(task, output)
        world.settle()
    end = world.events(execution)[-1].data
    assert isinstance(end, WorkflowCompleted)
    assert end.output == [40_000, 60_000, 50_000, "done"]


def test_a_child_is_given_and_gives_back_large_values(world: ServiceWorld) -> None:
    async def parent(driver: Driver, input: JsonValue) -> JsonValue:
        return await driver.start_child("echoes", input, name="c", queue="default")

    world.code.deployed["echoes"] = echoes
    execution = world.begin(parent, "x" * 40_000)
    [task] = world.claim()
    world.complete(task, task.input)
    world.settle()
    assert executions.get(world.services, ORG, execution).output == "x" * 40_000
    assert len(world.disk.bodies) == 1


def test_values_up_to_the_limit_stay_in_the_log(world: ServiceWorld) -> None:
    limit = world.services.settings.inline_payload_bytes
    assert payloads.store(world.services, ORG, "x" * (limit - 2)) == "x" * (limit - 2)
    assert isinstance(payloads.store(world.services, ORG, "x" * (limit - 1)), PayloadRef)
    assert isinstance(payloads.store(world.services, ORG, "é" * (limit // 2)), PayloadRef)
    assert len(world.disk.bodies) == 2


# --- too large ----------------------------------------------------------------------------------


def test_a_start_with_more_than_a_value_may_hold_creates_nothing(world: ServiceWorld) -> None:
    world.code.deployed["echoes"] = echoes
    with pytest.raises(PayloadTooLarge) as refused:
        executions.start(world.services, ORG, StartRequest(kind="echoes", input="x" * 1_048_576))
    assert (refused.value.status, refused.value.code) == (413, "PAYLOAD_TOO_LARGE")
    assert (world.disk.commits, world.disk.items, world.disk.bodies, world.mail.control) == ({}, {}, {}, [])


def test_an_output_with_more_than_a_value_may_hold_is_refused_and_the_attempt_goes_on(
    world: ServiceWorld,
) -> None:
    execution = world.begin(echoes, "small")
    [task] = world.claim()
    length = len(world.events(execution))
    with pytest.raises(PayloadTooLarge):
        world.complete(task, "x" * 1_048_576)
    assert (len(world.events(execution)), world.disk.bodies) == (length, {})
    assert world.complete(task, "x" * 1_048_574) == length + 1


# --- lookalikes and damage ----------------------------------------------------------------------


@pytest.mark.parametrize("value", LOOKALIKES)
def test_a_value_that_looks_like_a_reference_is_not_taken_for_one(world: ServiceWorld, value: JsonValue) -> None:
    execution = echoed(world, value)
    assert payloads_of(world, execution) == [value] * 4
    assert executions.get(world.services, ORG, execution).output == value


@pytest.mark.parametrize("value", LOOKALIKES)
def test_a_lookalike_in_the_inbox_is_not_taken_for_a_reference(value: JsonValue) -> None:
    report = reports.Completion(position=1, attempt=1, output=value)
    assert reports.parse(reports.dump(report)) == report


def test_a_reference_in_the_inbox_stays_one() -> None:
    report = reports.Completion(position=1, attempt=1, output=PayloadRef("0" * 64, 40_000))
    assert reports.parse(reports.dump(report)) == report


def test_a_payload_that_is_gone_is_damage_and_no_value(world: ServiceWorld) -> None:
    execution = world.start(echoes, "x" * 40_000)
    world.disk.bodies.clear()
    with pytest.raises(LogCorrupted):
        history.page(world.services, ORG, key_of(execution).execution_id, after=0, limit=10)
    with pytest.raises(LogCorrupted):
        world.settle()
    assert world.types(execution) == "WORKFLOW_STARTED"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(value=JSON)
def test_every_json_value_comes_back_from_the_store_as_it_was(value: JsonValue) -> None:
    world = ServiceWorld(inline_payload_bytes=1)
    assert payloads.fetch(world.services, ORG, payloads.store(world.services, ORG, value)) == value
