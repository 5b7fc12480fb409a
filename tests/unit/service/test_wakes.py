"""Wakes and due messages: no crash between an append and its sends leaves an execution stuck (laws 7, 8 and 9)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowstrand.engine.events import RetryPolicy
from flowstrand.engine.replay.driver import Driver
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import Due, DueKind, Wake
from flowstrand.service import inbox, open_executions, reports, safety, sweep, wakes
from flowstrand.service.append import require
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, key_of, kill, nothing, unavailable, work

RETRIED = RetryPolicy(max_retries=1, initial_ms=0)
MINUTE_MS = 60_000

Step = Callable[[ServiceWorld], None]
Mend = Callable[[ServiceWorld, str], None]


async def task_and_timer(driver: Driver, input: JsonValue) -> JsonValue:
    await work(driver, retry=RETRIED)
    await driver.start_timer(driver.now_ms + MINUTE_MS)
    return "done"


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def wake(execution: str, sequence: int = 1) -> Wake:
    return Wake(org=ORG, execution_id=key_of(execution).execution_id, sequence=sequence)


def due(execution: str, position: int, kind: DueKind = DueKind.TIMER, attempt: int = 0) -> Due:
    key = key_of(execution)
    return Due(org=key.org, execution_id=key.execution_id, kind=kind, position=position, attempt=attempt)


def is_open(world: ServiceWorld, execution: str) -> bool:
    return open_executions.contains(world.services.directory, key_of(execution))


def dies_before_it_sends(world: ServiceWorld, step: Step) -> None:
    world.seam.before("control.send", kill)
    with pytest.raises(Killed):
        step(world)
    world.restart()


def by_the_projector(world: ServiceWorld, execution: str) -> None:
    safety.on_commit(world.services, world.commits(execution)[-1])
    world.jump(world.services.settings.safety_wake_ms)


def by_the_sweep(world: ServiceWorld, execution: str) -> None:
    sweep.run(world.services)
    world.settle()


MENDS = pytest.mark.parametrize("mend", [by_the_projector, by_the_sweep])


# --- died between append and send ---------------------------------------------------------------


@MENDS
def test_a_start_whose_wake_was_never_sent_is_not_stuck(world: ServiceWorld, mend: Mend) -> None:
    dies_before_it_sends(world, lambda world: _discard(world.start(task_and_timer)))
    [key] = world.disk.commits
    execution = key.execution_id
    world.settle()
    assert world.types(execution) == "WORKFLOW_STARTED"
    mend(world, execution)
    assert world.types(execution) == "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED"
    assert len(world.claim()) == 1


@MENDS
def test_a_claim_whose_wake_was_never_sent_still_has_its_lease_ended(world: ServiceWorld, mend: Mend) -> None:
    execution = world.begin(task_and_timer)
    dies_before_it_sends(world, lambda world: _discard(world.claim()))
    assert world.dues() == []
    mend(world, execution)
    assert [item.kind for item in world.dues()] == [DueKind.LEASE]
    world.jump(MINUTE_MS)
    assert world.types(execution).endswith("TASK_STARTED TASK_FAILED")


@MENDS
def test_a_report_whose_wake_was_never_sent_is_not_stuck(world: ServiceWorld, mend: Mend) -> None:
    execution = world.begin(task_and_timer)
    [task] = world.claim()
    world.settle()
    dies_before_it_sends(world, lambda world: _discard(world.complete(task)))
    world.settle()
    assert world.types(execution).endswith("TASK_COMPLETED")
    mend(world, execution)
    assert world.types(execution).endswith("TIMER_STARTED WORKFLOW_SUSPENDED")


@MENDS
def test_a_retry_whose_wake_was_never_sent_is_queued_all_the_same(world: ServiceWorld, mend: Mend) -> None:
    execution = world.begin(task_and_timer)
    world.claim()
    world.settle()
    dies_before_it_sends(world, lambda world: world.jump(MINUTE_MS))  # the lease ends
    world.mail.control.clear()  # even if the due message does not come again
    assert world.types(execution).endswith("TASK_FAILED")
    assert world.mail.tasks == []
    mend(world, execution)
    [second] = world.claim()
    assert second.attempt == 2


@MENDS
def test_an_inboxed_report_whose_wake_was_never_sent_is_not_stuck(world: ServiceWorld, mend: Mend) -> None:
    execution = world.begin(task_and_timer)
    world.claim()
    world.settle()
    report = reports.Completion(position=1, attempt=1, output=None)
    tip = require(world.services, key_of(execution))
    dies_before_it_sends(world, lambda world: inbox.put(world.services, tip, report))
    if mend is by_the_projector:
        safety.on_inbox_item(world.services, key_of(execution))
        world.jump(world.services.settings.safety_wake_ms)
    else:
        mend(world, execution)
    assert world.tally(execution, "TASK_COMPLETED") == 1
    assert world.types(execution).endswith("TIMER_STARTED WORKFLOW_SUSPENDED")


@pytest.mark.parametrize("port", ["tasks.send", "timers.at"])
@pytest.mark.parametrize("fault", [kill, unavailable])
def test_a_wake_that_fails_while_it_dispatches_comes_again_and_dispatches_again(
    world: ServiceWorld, port: str, fault: Callable[[], None]
) -> None:
    async def both(driver: Driver, input: JsonValue) -> JsonValue:
        timer = driver.start_timer(driver.now_ms + 10 * MINUTE_MS)
        await work(driver)
        return await timer

    world.start(both)
    world.seam.before(port, fault)
    with pytest.raises(BaseException):  # noqa: B017 - dead, or a store that failed
        world.settle()
    world.restart()
    world.jump(MINUTE_MS)
    assert len(world.claim()) == 1
    assert [item.kind for item in world.dues()] == [DueKind.TIMER]


def test_the_projector_sends_nothing_for_commits_without_effects(world: ServiceWorld) -> None:
    async def child_only(driver: Driver, input: JsonValue) -> JsonValue:
        return await driver.start_child("task_and_timer", None, name="c", queue="default")

    world.code.deployed["task_and_timer"] = task_and_timer
    execution = world.begin(child_only)
    quiet = world.commits(execution)[-1]
    assert world.types(execution).endswith("CHILD_WORKFLOW_STARTED")
    assert quiet.count == 1
    world.mail.control.clear()
    safety.on_commit(world.services, quiet)
    assert world.mail.control == []


def test_safety_wakes_of_a_healthy_execution_change_nothing(world: ServiceWorld) -> None:
    world.disk.watch = lambda commit: safety.on_commit(world.services, commit)
    execution = world.begin(task_and_timer)
    [task] = world.claim()
    world.complete(task)
    world.settle()
    world.jump(2 * MINUTE_MS)
    assert world.types(execution).split() == [
        "WORKFLOW_STARTED",
        "TASK_CREATED",
        "WORKFLOW_SUSPENDED",
        "TASK_STARTED",
        "TASK_COMPLETED",
        "WORKFLOW_RESUMED",
        "TIMER_STARTED",
        "WORKFLOW_SUSPENDED",
        "TIMER_FIRED",
        "WORKFLOW_RESUMED",
        "WORKFLOW_COMPLETED",
    ]
    world.jump(2 * MINUTE_MS)
    assert world.mail.control == []


# --- wakes --------------------------------------------------------------------------------------


def test_a_wake_without_anything_to_do_writes_and_sends_nothing(world: ServiceWorld) -> None:
    execution = world.begin(task_and_timer)
    world.seam.calls.clear()
    wakes.handle(world.services, wake(execution, sequence=4))
    writes = {"log.put", "directory.put", "control.send", "tasks.send", "timers.at"}
    assert writes.isdisjoint(world.seam.calls)


def test_a_wake_for_an_execution_that_is_not_there_is_acknowledged(world: ServiceWorld) -> None:
    wakes.handle(world.services, wake("01NEVER"))
    assert world.mail.control == []
    assert world.events("01NEVER") == []


def test_an_ended_execution_is_no_longer_swept(world: ServiceWorld) -> None:
    async def ends(driver: Driver, input: JsonValue) -> JsonValue:
        return None

    execution = world.start(ends)
    assert is_open(world, execution)
    world.settle()
    assert not is_open(world, execution)
    assert sweep.run(world.services) == 0


def test_an_execution_that_keeps_running_gives_the_process_back_after_a_while(
    world: ServiceWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def naps(driver: Driver, input: JsonValue) -> JsonValue:
        for timer in [driver.start_timer(driver.now_ms + MINUTE_MS) for _ in range(5)]:
            await timer
        return "rested"

    def fire(position: int) -> Callable[[], None]:
        return lambda: wakes.handle(world.boot(), due(execution, position))

    execution = world.begin(naps)
    world.mail.control.clear()
    world.clock.advance(MINUTE_MS)
    fire(1)()
    # While a turn closes behind one timer the next fires, so that the execution never comes to rest.
    world.seam.before("log.put", fire(2), nothing, nothing, fire(3), nothing, nothing)
    monkeypatch.setattr(wakes, "MAX_TURNS", 2)
    [envelope] = world.mail.control
    world.deliver(envelope)
    assert world.tally(execution, "WORKFLOW_SUSPENDED") == 3
    assert envelope.message in world.wakes()
    world.settle()
    assert world.tally(execution, "WORKFLOW_SUSPENDED") == 4


# --- due messages -------------------------------------------------------------------------------


async def two_timers(driver: Driver, input: JsonValue) -> JsonValue:
    first = driver.start_timer(driver.now_ms + MINUTE_MS)
    second = driver.start_timer(driver.now_ms + MINUTE_MS)
    await first
    return await second


def test_a_due_message_settles_its_one_thing_runs_no_turn_and_arms_nothing(world: ServiceWorld) -> None:
    execution = world.begin(two_timers)
    world.clock.advance(MINUTE_MS)
    world.seam.calls.clear()
    wakes.handle(world.services, due(execution, 2))
    assert world.types(execution).endswith("WORKFLOW_SUSPENDED TIMER_FIRED")
    assert "timers.at" not in world.seam.calls
    assert world.wakes() == []  # the code waits for the first
    wakes.handle(world.services, due(execution, 1))
    assert world.types(execution).endswith("TIMER_FIRED TIMER_FIRED")
    assert world.wakes() == [wake(execution, 6)]


def test_a_repeated_due_message_fires_nothing_and_wakes_again(world: ServiceWorld) -> None:
    execution = world.begin(two_timers)
    world.clock.advance(MINUTE_MS)
    wakes.handle(world.services, due(execution, 1))
    wakes.handle(world.services, due(execution, 1))
    assert world.tally(execution, "TIMER_FIRED") == 1
    assert world.wakes() == [wake(execution, 5), wake(execution, 5)]


def test_a_timer_that_is_due_too_early_is_armed_again_by_one_of_its_messages(world: ServiceWorld) -> None:
    execution = world.begin(two_timers)
    world.mail.control.clear()
    for _ in range(3):
        wakes.handle(world.services, due(execution, 1))
    assert world.tally(execution, "TIMER_FIRED") == 0
    [armed] = world.mail.control
    assert armed.visible_at_ms == world.clock.now_ms() + MINUTE_MS


def test_a_due_message_after_the_end_settles_nothing(world: ServiceWorld) -> None:
    async def leaves_a_timer(driver: Driver, input: JsonValue) -> JsonValue:
        driver.start_timer(driver.now_ms + MINUTE_MS)
        return await work(driver)

    execution = world.begin(leaves_a_timer)
    [task] = world.claim()
    world.complete(task)
    world.settle()
    assert world.types(execution).endswith("TIMER_CANCELLED WORKFLOW_COMPLETED")
    world.jump(MINUTE_MS)
    assert world.tally(execution, "TIMER_FIRED") == 0
    assert world.mail.control == []


def test_a_due_message_for_an_execution_that_is_not_there_is_acknowledged(world: ServiceWorld) -> None:
    wakes.handle(world.services, due("01NEVER", 1))
    assert world.mail.control == []
    assert world.events("01NEVER") == []


def test_many_timers_cost_one_message_each(world: ServiceWorld) -> None:
    async def many(driver: Driver, input: JsonValue) -> JsonValue:
        for timer in [driver.start_timer(driver.now_ms + MINUTE_MS + n) for n in range(12)]:
            await timer
        return "all"

    execution = world.begin(many)
    world.seam.calls.clear()
    for _ in range(12):
        world.jump(MINUTE_MS)
    assert world.tally(execution, "TIMER_FIRED") == 12
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    assert world.seam.calls.count("timers.at") == 0
    assert world.seam.calls.count("control.send") <= 2 * 12


def _discard(_: object) -> None:
    """Only the attempt counts."""
