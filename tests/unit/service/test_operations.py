"""`ctx.run` inside a turn: each result recorded once, under a lease, while the world goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Barrier
from threading import Event as Signal

import pytest

from flowstrand.engine.events import OperationCompleted, OperationFailed, TaskCreated, WorkflowCompleted
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import OperationFailed as RaisedInCode
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit
from flowstrand.queues.messages import Wake
from flowstrand.service import tasks, wakes
from flowstrand.service.leases import LeaseHeld, TurnLease
from tests.unit.service.service_world import Code, ServiceWorld, key_of, kill, work

_PATIENCE_S = 10

Function = Callable[[], JsonValue | Awaitable[JsonValue]]


def calling(function: Function, name: str = "price") -> Code:
    """Workflow code that runs one function and returns its result, or what it raised."""

    async def calls(driver: Driver, input: JsonValue) -> JsonValue:
        try:
            return await driver.run(name, function)
        except RaisedInCode as failure:
            return [failure.error_type, failure.message]

    return calls


def output(world: ServiceWorld, execution: str) -> JsonValue:
    """What the execution returned."""
    end = world.events(execution)[-1].data
    assert isinstance(end, WorkflowCompleted), end
    assert not isinstance(end.output, PayloadRef)
    return end.output


def results(world: ServiceWorld, execution: str) -> list[tuple[int, str]]:
    data = (event.data for event in world.events(execution))
    return [(one.index, one.name) for one in data if isinstance(one, OperationCompleted | OperationFailed)]


def test_a_result_is_recorded_before_the_code_sees_it_and_once() -> None:
    world = ServiceWorld()
    calls: list[int] = []

    def price() -> JsonValue:
        calls.append(1)
        return 7

    execution = world.begin(calling(price))
    assert world.types(execution) == "WORKFLOW_STARTED OPERATION_COMPLETED WORKFLOW_COMPLETED"
    assert (output(world, execution), calls) == (7, [1])


def test_a_recorded_result_is_replayed_and_not_computed_again() -> None:
    calls: list[int] = []

    def price() -> JsonValue:
        calls.append(1)
        return len(calls)

    async def price_then_task(driver: Driver, input: JsonValue) -> JsonValue:
        first = await driver.run("price", price)
        await work(driver)
        return first

    world = ServiceWorld(warm=0)
    execution = world.begin(price_then_task)
    [task] = world.claim()
    world.complete(task)
    world.settle()
    assert (output(world, execution), calls) == (1, [1])
    assert results(world, execution) == [(1, "price")]


def test_a_failure_is_recorded_and_raised_in_the_code() -> None:
    def refuse() -> JsonValue:
        raise ValueError("no price")

    world = ServiceWorld()
    execution = world.begin(calling(refuse))
    assert world.types(execution) == "WORKFLOW_STARTED OPERATION_FAILED WORKFLOW_COMPLETED"
    assert output(world, execution) == ["ValueError", "no price"]


def test_an_async_function_runs_in_a_loop_of_its_own() -> None:
    async def price() -> JsonValue:
        await asyncio.sleep(0)
        return "async"

    world = ServiceWorld()
    execution = world.begin(calling(price))
    assert output(world, execution) == "async"


@pytest.mark.parametrize("failure", [asyncio.CancelledError("stopped"), SystemExit(3)])
def test_a_function_that_raises_past_exception_fails_alone(failure: BaseException) -> None:
    async def stop() -> JsonValue:
        raise failure

    world = ServiceWorld()
    execution = world.begin(calling(stop))
    assert output(world, execution) == [type(failure).__name__, str(failure)]


def test_a_result_over_the_limit_is_recorded_as_a_failure() -> None:
    world = ServiceWorld()
    execution = world.begin(calling(lambda: "x" * 2_000_000))
    assert world.types(execution) == "WORKFLOW_STARTED OPERATION_FAILED WORKFLOW_COMPLETED"
    returned = output(world, execution)
    assert isinstance(returned, list)
    assert returned[0] == "PayloadTooLarge"


def test_functions_asked_for_together_run_side_by_side() -> None:
    meeting = Barrier(3)

    def meet() -> JsonValue:
        meeting.wait(_PATIENCE_S)
        return "met"

    async def together(driver: Driver, input: JsonValue) -> JsonValue:
        futures = [driver.run(f"meet-{n}", meet) for n in range(3)]
        await all_of(futures)
        return [await future for future in futures]

    world = ServiceWorld()
    execution = world.begin(together)
    assert output(world, execution) == ["met"] * 3
    assert sorted(results(world, execution)) == [(1, "meet-0"), (2, "meet-1"), (3, "meet-2")]


def test_commands_are_recorded_and_dispatched_before_the_first_function_runs() -> None:
    world = ServiceWorld()
    seen: list[tuple[str, int]] = []

    async def task_then_run(driver: Driver, input: JsonValue) -> JsonValue:
        task = work(driver)
        await driver.run("look", lambda: seen.append((world.types(driver.execution_id), len(world.mail.tasks))))
        second = work(driver)
        await driver.run("look", lambda: seen.append((world.types(driver.execution_id), len(world.mail.tasks))))
        return [await task, await second]

    execution = world.begin(task_then_run)
    assert seen == [
        ("WORKFLOW_STARTED TASK_CREATED", 1),
        ("WORKFLOW_STARTED TASK_CREATED OPERATION_COMPLETED TASK_CREATED", 2),
    ]
    assert world.types(execution).endswith("TASK_CREATED OPERATION_COMPLETED WORKFLOW_SUSPENDED")


def test_an_event_that_arrives_while_a_function_runs_is_delivered() -> None:
    """The function itself finishes a task, then waits for what the code asks for because of that."""
    world = ServiceWorld(turn_lease_ms=60)  # the log is read again every 20 ms of real time
    followed = Signal()

    def watch(commit: Commit) -> None:
        created = [e.data for e in unpack_events(commit) if isinstance(e.data, TaskCreated)]
        if any(task.kind == "follow-up" for task in created):
            followed.set()

    def finish_the_task() -> JsonValue:
        [task] = world.claim()
        tasks.complete(
            world.services,
            key_of(str(task.workflow_execution_id)).org,
            task.task_execution_id,
            lease_token=task.lease_token,
            output=None,
        )
        return followed.wait(_PATIENCE_S)

    async def follow_up(driver: Driver) -> JsonValue:
        await work(driver)
        return await work(driver, kind="follow-up")

    async def branches(driver: Driver, input: JsonValue) -> JsonValue:
        branch = driver.spawn(follow_up(driver), "branch")
        was_followed = await driver.run("finish", finish_the_task)
        await branch
        return was_followed

    world.disk.watch = watch
    execution = world.begin(branches)
    assert world.types(execution).split()[1:] == [
        "TASK_CREATED",
        "TASK_STARTED",
        "TASK_COMPLETED",
        "TASK_CREATED",
        "OPERATION_COMPLETED",
        "WORKFLOW_SUSPENDED",
    ]
    [task] = world.claim("follow-up")
    world.complete(task)
    world.settle()
    assert output(world, execution) is True


def test_while_another_process_holds_the_lease_the_wake_is_sent_again_and_nothing_recorded() -> None:
    calls: list[int] = []
    world = ServiceWorld()
    execution = world.start(calling(lambda: calls.append(1)))
    lease = TurnLease(world.services.directory, key_of(execution), "another", 15_000)
    lease.acquire(world.clock.now_ms() - 10_000)
    world.settle()
    assert (world.types(execution), calls) == ("WORKFLOW_STARTED", [])
    assert [envelope.visible_at_ms - world.clock.now_ms() for envelope in world.mail.control] == [5_000]
    world.jump(5_000)
    assert (output(world, execution), calls) == (None, [1])


def test_the_lease_is_renewed_while_one_function_follows_the_other() -> None:
    world = ServiceWorld()
    refused: list[int] = []

    def try_to_take_it_over() -> JsonValue:
        world.clock.advance(6_000)
        rival = TurnLease(world.services.directory, key_of(execution), "another", 15_000)
        try:
            rival.acquire(world.clock.now_ms())
        except LeaseHeld as held:
            refused.append(held.for_ms)
        return None

    async def one_after_the_other(driver: Driver, input: JsonValue) -> JsonValue:
        for _ in range(5):
            await driver.run("try", try_to_take_it_over)
        return None

    execution = world.start(one_after_the_other)
    world.settle()
    assert len(refused) == 5
    assert output(world, execution) is None


def test_the_lease_is_given_back_when_the_functions_are_done() -> None:
    world = ServiceWorld()
    execution = world.begin(calling(lambda: 1))
    TurnLease(world.services.directory, key_of(execution), "another", 15_000).acquire(world.clock.now_ms())
    assert world.tally(execution, "OPERATION_COMPLETED") == 1


def test_the_lease_of_a_process_that_died_runs_out() -> None:
    world = ServiceWorld()
    execution = world.start(calling(lambda: 1))
    world.seam.before("log.put", kill)
    world.seam.before("directory.delete", kill)  # it dies before it could give the lease back
    world.die()
    assert world.types(execution) == "WORKFLOW_STARTED"
    world.jump(60_000)
    assert output(world, execution) == 1


def test_a_function_whose_result_was_not_recorded_runs_again_after_a_crash() -> None:
    calls: list[int] = []
    world = ServiceWorld()
    execution = world.start(calling(lambda: calls.append(1)))
    world.seam.before("log.put", kill)
    world.die()
    world.jump(60_000)
    assert len(calls) == 2
    assert world.types(execution) == "WORKFLOW_STARTED OPERATION_COMPLETED WORKFLOW_COMPLETED"


def test_a_result_that_a_duplicate_has_recorded_meanwhile_is_not_recorded_twice() -> None:
    world = ServiceWorld()
    execution = world.start(calling(lambda: "once"))
    key = key_of(execution)

    def overtake() -> None:
        """Our lease has run out unnoticed: the log is the fence, not the lease."""
        world.clock.advance(world.services.settings.turn_lease_ms)
        wakes.handle(world.boot(), Wake(org=key.org, execution_id=key.execution_id, sequence=1))
        assert results(world, execution) == [(1, "price")]

    world.seam.before("log.put", overtake)
    world.settle()
    assert results(world, execution) == [(1, "price")]
    assert world.tally(execution, "WORKFLOW_COMPLETED") == 1
