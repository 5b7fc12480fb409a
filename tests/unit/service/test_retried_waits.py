"""What a retry does with promises, timers, signals, state, values and time."""

from __future__ import annotations

import pytest

from flowstrand.engine.chunk import Chunk, ChunkType
from flowstrand.engine.events import (
    ErrorInfo,
    PromiseCreated,
    TaskCompleted,
    TimerStarted,
)
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of, any_of
from flowstrand.engine.schema import PayloadRef
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import executions, promises, signals
from flowstrand.service.chunks import append_chunks
from tests.unit.service.retry_world import (
    HOUR_MS,
    Bug,
    claim,
    do,
    fail_task,
    output,
    retry,
    status,
    two_tasks,
)
from tests.unit.service.service_world import ORG, ServiceWorld, work


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


async def approves(driver: Driver, input: JsonValue) -> JsonValue:
    return await driver.create_promise("approval", key="order-1", timeout_at_ms=driver.now_ms + HOUR_MS)


def test_a_promise_that_timed_out_is_there_again_for_as_long_and_under_its_key(world: ServiceWorld) -> None:
    execution = world.begin(approves)
    world.jump(HOUR_MS)
    assert status(world, execution) == "FAILED"
    world.jump(HOUR_MS)
    retried = retry(world, execution)
    created = world.events(retried)[1].data
    assert isinstance(created, PromiseCreated)
    assert created.timeout_at_ms == world.clock.now_ms() + HOUR_MS
    world.jump(HOUR_MS - 1)
    assert not promises.resolve(world.services, ORG, "key:order-1", "yes").already_settled
    world.settle()
    assert output(world, retried) == "yes"


def test_a_promise_that_was_rejected_can_be_settled_anew(world: ServiceWorld) -> None:
    execution = world.begin(approves)
    promises.reject(world.services, ORG, f"{execution}.p1", ErrorInfo(type="No", message="no"))
    world.settle()
    retried = retry(world, execution)
    promises.resolve(world.services, ORG, f"{retried}.p1", "yes")
    world.settle()
    assert output(world, retried) == "yes"


async def in_time(driver: Driver, input: JsonValue) -> JsonValue:
    handle = work(driver)
    timer = driver.start_timer(driver.now_ms + HOUR_MS, is_timeout=True)
    if await any_of([handle, timer]) is timer:
        driver.cancel(handle)
        raise Bug
    value: JsonValue = handle.value
    return value


def test_a_wait_that_took_too_long_may_take_as_long_again(world: ServiceWorld) -> None:
    execution = world.begin(in_time)
    world.jump(2 * HOUR_MS)
    assert status(world, execution) == "FAILED"
    retried = retry(world, execution)
    world.jump(HOUR_MS - 1)
    assert status(world, retried) == "WAITING"
    do(world)
    assert output(world, retried) == "done"


async def sleeps(driver: Driver, input: JsonValue) -> JsonValue:
    handle = work(driver)
    timer = driver.start_timer(driver.now_ms + 3 * HOUR_MS)
    await all_of([handle, timer])
    await handle
    return "slept"


def test_a_timer_fires_when_it_was_to_fire(world: ServiceWorld) -> None:
    execution = world.begin(sleeps)
    world.jump(HOUR_MS)
    fail_task(world)
    world.jump(HOUR_MS)
    retried = retry(world, execution)
    do(world)
    assert status(world, retried) == "WAITING"
    world.jump(HOUR_MS)
    assert output(world, retried) == "slept"


def test_a_timer_that_has_fired_stays_so(world: ServiceWorld) -> None:
    execution = world.begin(sleeps)
    world.jump(3 * HOUR_MS)
    fail_task(world)
    retried = retry(world, execution)
    assert world.tally(retried, "TIMER_FIRED") == 1
    do(world)
    assert output(world, retried) == "slept"


def test_signals_and_state_are_kept(world: ServiceWorld) -> None:
    async def listens(driver: Driver, input: JsonValue) -> JsonValue:
        driver.set_value("heard", await driver.wait_for_signal("word"))
        await work(driver)
        return [driver.values["heard"], await driver.wait_for_signal("word")]

    execution = world.begin(listens)
    for word in ("one", "two"):
        signals.signal(world.services, ORG, execution, "word", word, request_id=word)
    world.settle()
    fail_task(world)
    retried = retry(world, execution)
    assert executions.get_state(world.services, ORG, retried) == {"heard": "one"}
    do(world)
    assert output(world, retried) == ["one", "two"]


def test_what_tasks_have_streamed_is_not_copied(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    [task] = claim(world, "first")
    chunks = [Chunk(type=ChunkType.TOKEN, payload="hello")]
    append_chunks(world.services, ORG, task.task_execution_id, lease_token=task.lease_token, chunks=chunks)
    world.complete(task)
    world.settle()
    fail_task(world, "second")
    retried = retry(world, execution)
    assert world.tally(execution, "STREAM_TOKEN") == 1
    assert world.tally(retried, "STREAM_TOKEN") == 0
    do(world, "second")
    assert output(world, retried) == ["done", "done"]


def test_the_end_of_a_chain_is_what_is_retried(world: ServiceWorld) -> None:
    async def counts(driver: Driver, input: JsonValue) -> JsonValue:
        await work(driver)
        if input == "last":
            return "end"
        await driver.continue_as("last")
        return None

    execution = world.begin(counts, "first")
    do(world)
    fail_task(world)
    retried = retry(world, execution)
    assert executions.get(world.services, ORG, retried).retried_from == f"{execution}.n1"
    do(world)
    assert output(world, retried) == "end"


def test_large_values_are_shared(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks, "x" * 20_000)
    do(world, "first", "y" * 20_000)
    fail_task(world, "second")
    stored = dict(world.disk.bodies)
    retried = retry(world, execution)
    completed = next(e.data for e in world.events(retried) if isinstance(e.data, TaskCompleted))
    assert isinstance(completed.output, PayloadRef)
    assert world.disk.bodies == stored
    do(world, "second")
    assert output(world, retried) == ["y" * 20_000, "done"]


def test_code_goes_on_at_the_time_of_the_retry_from_a_past_that_has_not_moved(world: ServiceWorld) -> None:
    async def looks(driver: Driver, input: JsonValue) -> JsonValue:
        before = driver.now_ms
        await work(driver, kind="first")
        between = driver.now_ms
        await work(driver, kind="second")
        driver.start_timer(driver.now_ms + HOUR_MS)
        return [before, between, driver.now_ms]

    began_ms = world.clock.now_ms()
    execution = world.begin(looks)
    world.jump(HOUR_MS)
    do(world, "first")
    world.jump(HOUR_MS)
    fail_task(world, "second")
    world.jump(HOUR_MS)
    retried = retry(world, execution)
    do(world, "second")
    now_ms = world.clock.now_ms()
    assert output(world, retried) == [began_ms, began_ms + HOUR_MS, now_ms]
    timer = next(e.data for e in world.events(retried) if isinstance(e.data, TimerStarted))
    assert timer.fire_at_ms == now_ms + HOUR_MS
    assert {event.timestamp_ms for event in world.events(retried)} == {now_ms}


def test_metadata_queue_and_version_are_as_they_were(world: ServiceWorld) -> None:
    world.code.deployed["two_tasks"] = two_tasks
    request = executions.StartRequest(kind="two_tasks", input=1, queue="q", version="7", metadata={"a": "b"})
    execution = executions.start(world.services, ORG, request).workflow_execution_id
    world.settle()
    fail_task(world, "first")
    snapshot = executions.get(world.services, ORG, retry(world, execution))
    assert (snapshot.queue, snapshot.version, snapshot.metadata) == ("q", "7", {"a": "b"})
