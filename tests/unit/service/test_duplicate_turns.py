"""Turns beside turns, and turns that die: what the model found, each as small as it gets."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from flowstrand.engine.decide import turn as decide
from flowstrand.engine.events import OperationCompleted
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of
from flowstrand.errors import StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import append, operations, tasks
from flowstrand.service.turn import run_turn
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, kill, unavailable, work


class Script:
    """Stands for the thread pool: functions finish when, and as, a test says, one step per wait of the turn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> None:
        self.submitted: list[Future[Any]] = []
        self._steps = list(steps)
        monkeypatch.setattr(operations, "_executor", lambda: self)
        monkeypatch.setattr(operations, "wait", lambda *_, **__: self._steps.pop(0)())

    def submit(self, *_: object) -> Future[Any]:
        self.submitted.append(Future())
        return self.submitted[-1]

    def finish(self, index: int) -> None:
        """The function of this index returns its index."""
        self.submitted[index - 1].set_result(index)


def test_a_result_that_a_duplicate_recorded_while_the_function_still_ran_is_not_recorded_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def two(driver: Driver, input: JsonValue) -> JsonValue:
        await all_of([driver.run("slow", lambda: 1), driver.run("slower", lambda: 2)])
        return None

    world = ServiceWorld()
    execution = world.start(two)

    def a_duplicate_records_the_first() -> None:
        append.transact(
            world.services, key_of(execution), lambda draft: decide.record_operation(draft, 1, "slow", 1)
        )

    script = Script(
        monkeypatch,
        a_duplicate_records_the_first,
        lambda: script.finish(1),
        lambda: script.finish(2),
    )
    world.settle()
    recorded = [e.data.index for e in world.events(execution) if isinstance(e.data, OperationCompleted)]
    assert recorded == [1, 2]
    assert world.types(execution).endswith("OPERATION_COMPLETED WORKFLOW_COMPLETED")


def test_a_cancel_that_settles_by_itself_while_functions_run_leaves_nothing_to_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def cancels_late(driver: Driver, input: JsonValue) -> JsonValue:
        handle = work(driver)
        await driver.run("first", lambda: 1)
        driver.cancel(handle)
        await driver.run("second", lambda: 2)
        return await handle

    world = ServiceWorld()
    execution = world.start(cancels_late)

    def before_the_cancel_is_recorded() -> None:
        """The task completes between the delivery that makes the code cancel and the flush of that cancel."""
        [claimed] = world.claim()
        # The first result is put twice, since the claim came before it.
        world.seam.before("log.put", lambda: None, lambda: None, lambda: world.complete(claimed, "in time"))
        script.finish(1)

    script = Script(monkeypatch, before_the_cancel_is_recorded, lambda: script.finish(2))
    world.settle()
    assert world.types(execution).split()[-3:] == ["TASK_COMPLETED", "OPERATION_COMPLETED", "WORKFLOW_COMPLETED"]
    assert world.tally(execution, "TASK_CANCELLED") == 0


def test_warm_code_whose_log_cannot_be_read_is_dropped_as_any_other() -> None:
    unwound: list[bool] = []

    async def waits(driver: Driver, input: JsonValue) -> JsonValue:
        try:
            return await work(driver)
        finally:
            unwound.append(driver.is_dead)

    world = ServiceWorld()
    execution = world.begin(waits)
    [claimed] = world.claim()
    world.complete(claimed)
    world.seam.before("log.following", unavailable)
    with pytest.raises(StoreUnavailable):
        run_turn(world.services, key_of(execution), "w", lambda tip, since: None)
    assert unwound == [True]
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_RESUMED WORKFLOW_COMPLETED")


def test_a_process_that_dies_while_it_postpones_a_lease_does_not_lose_it() -> None:
    async def waits(driver: Driver, input: JsonValue) -> JsonValue:
        return await work(driver)

    world = ServiceWorld(wake_visibility_ms=10_000)
    world.begin(waits)
    [claimed] = world.claim()
    world.settle()
    world.clock.advance(world.services.settings.lease_ms // 2)
    tasks.heartbeat(world.services, ORG, claimed.task_execution_id, lease_token=claimed.lease_token)
    world.clock.advance(world.services.settings.lease_ms // 2)
    world.seam.before("timers.at", kill)
    world.die()
    world.jump(10_000)  # the message comes again, still too early
    world.jump(60_000)
    assert world.tally(str(claimed.workflow_execution_id), "TASK_FAILED") == 1
