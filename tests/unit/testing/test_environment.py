"""The environment runs workflows on the real engine, and its time is its own."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from flowstrand import (
    App,
    Compression,
    NonRetryableError,
    NotSerializable,
    TaskContext,
    WorkflowContext,
    task,
    workflow,
)
from flowstrand.errors import (
    ConfigurationError,
    Conflict,
    ExecutionStuck,
    InvalidDefinition,
    InvalidInput,
    NotFound,
    WorkflowFailed,
    WorkflowTimeout,
)
from flowstrand.testing import Environment, ReplayMode, replay_history
from tests.unit.testing.app import APP, Order, Receipt, broken, charge, countdown, greeting, monthly, order, pair

pytestmark = pytest.mark.anyio

S1 = [
    "WORKFLOW_STARTED",
    "TASK_CREATED",
    "WORKFLOW_SUSPENDED",
    "TASK_STARTED",
    "TASK_FAILED",
    "WORKFLOW_RESUMED",
    "WORKFLOW_COMPLETED",
]


@pytest.fixture(params=["cold", "warm", "both"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[Environment]:
    async with Environment(app=APP, replay=request.param) as env:
        yield env


# --- starting and waiting ---------------------------------------------------------------------------


async def test_an_output_is_of_the_type_that_the_workflow_declares(env: Environment) -> None:
    assert await env.start_and_wait(order, Order(amount=3)) == Receipt(paid=3)


async def test_a_workflow_by_name_takes_and_gives_plain_json(env: Environment) -> None:
    assert await env.start_and_wait("order", {"amount": 3}) == {"paid": 3}


async def test_a_workflow_that_takes_nothing_needs_nothing(env: Environment) -> None:
    assert await env.start_and_wait(greeting) == "hello"


async def test_a_task_that_is_not_async_runs_too(env: Environment) -> None:
    assert await env.start_and_wait(pair) == ["parcel worth 1", "parcel worth 2"]


async def test_the_failure_of_a_workflow_is_raised_with_the_stack_of_its_code(env: Environment) -> None:
    with pytest.raises(WorkflowFailed, match="nothing there") as failed:
        await env.start_and_wait(broken)
    assert (failed.value.error_type, failed.value.kind) == ("LookupError", "broken")
    assert any('raise LookupError("nothing there")' in note for note in failed.value.__notes__)


async def test_an_execution_has_the_id_that_was_asked_for_and_nobody_else_gets_it(env: Environment) -> None:
    handle = await env.start(greeting, id="first")
    assert handle.id == "first"
    with pytest.raises(Conflict) as taken:
        await env.start(greeting, id="first")
    assert taken.value.code == "EXECUTION_EXISTS"
    with pytest.raises(InvalidInput):
        await env.start(greeting, id="no/id")


async def test_an_input_that_does_not_fit_is_refused_at_the_call(env: Environment) -> None:
    with pytest.raises(NotSerializable, match="amount"):
        await env.start(order, {"amount": "many"})  # type: ignore[misc]  # that is the test


async def test_an_unknown_workflow_is_refused_at_the_call(env: Environment) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await env.start("nobody")


async def test_several_executions_run_side_by_side(env: Environment) -> None:
    receipts = await asyncio.gather(*(env.start_and_wait(order, Order(amount=n)) for n in range(5)))
    assert [receipt.paid for receipt in receipts] == list(range(5))


async def test_the_result_of_an_execution_that_continues_as_new_is_that_of_the_last(env: Environment) -> None:
    handle = await env.start(countdown, 2)
    assert await handle.result() == "lift-off"
    assert len(env.executions()) == 3
    assert handle.status == "COMPLETED"
    assert replay_history(await env.history(handle), APP).turns == 2


async def test_executions_are_listed_with_their_children(env: Environment) -> None:
    handle = await env.start(monthly, Order(amount=1))
    await handle.result()
    child = f"{handle.id}.c3"
    assert env.executions() == [handle.id, child]
    assert await env.handle(child).result() == "parcel worth 1"


# --- time -------------------------------------------------------------------------------------------


async def test_a_start_takes_no_time_and_waiting_takes_as_much_as_it_must(env: Environment) -> None:
    began = env.now
    handle = await env.start(monthly, Order(amount=1))
    assert (env.now, handle.status) == (began, "WAITING")
    await handle.result()
    assert env.now == began + timedelta(days=30)


async def test_time_begins_when_the_test_says_and_advances_exactly(env: Environment) -> None:
    start = datetime(2030, 5, 1, 12, tzinfo=UTC)
    async with Environment(app=APP, start_at=start) as later:
        handle = await later.start(monthly, Order(amount=1))
        assert (await handle.events())[0].timestamp == "2030-05-01T12:00:00.000Z"
        await later.advance(timedelta(days=29))
        assert (later.now, handle.status) == (start + timedelta(days=29), "WAITING")
        await later.advance(86_400)
        assert (later.now, handle.status) == (start + timedelta(days=30), "COMPLETED")


async def test_a_month_takes_no_time_of_the_tests_own(env: Environment) -> None:
    """Nothing sleeps: how long the test takes depends only on what is computed, which `bench/kit.py` measures."""
    env.fail_next(charge, ConnectionError("no route"), times=3)
    began = env.now
    handle = await env.start(monthly, Order(amount=1))
    assert await handle.result() == "parcel worth 1"
    failed = [event.data["attempt"] for event in await handle.events() if event.type == "TASK_FAILED"]
    assert failed == [1, 2, 3]
    assert timedelta(days=30) < env.now - began < timedelta(days=30, minutes=5)


async def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="aware"):
        Environment(app=APP, start_at=datetime(2030, 5, 1))  # noqa: DTZ001 - that is the test


async def test_a_task_takes_virtual_time_where_it_says_so(env: Environment) -> None:
    async def slow(_ctx: TaskContext, order: Order) -> Receipt:
        await env.sleep(300)
        return Receipt(paid=order.amount)

    began = env.now
    env.fake(charge, slow)
    handle = await env.start(order, Order(amount=1))
    assert (env.now, handle.status) == (began, "WAITING")
    assert await handle.result() == Receipt(paid=1)
    # It sent heartbeats meanwhile, or its lease would have run out.
    assert env.now == began + timedelta(seconds=300)
    assert [event.type for event in await handle.events()].count("TASK_STARTED") == 1


async def test_an_execution_that_may_not_take_so_long_fails_in_time(env: Environment) -> None:
    began = env.now
    handle = await env.start(monthly, Order(amount=1), timeout=timedelta(days=1))
    with pytest.raises(WorkflowTimeout):
        await handle.result()
    assert env.now == began + timedelta(days=1)


async def test_a_task_that_hangs_ends_at_its_timeout() -> None:
    @workflow
    async def impatient(ctx: WorkflowContext, order: Order) -> None:
        await ctx.schedule(charge, order, timeout=45)

    async with Environment(app=APP, workflows=[impatient]) as env:
        env.fake(charge, lambda: env.sleep(math.inf))
        began = env.now
        with pytest.raises(WorkflowFailed):
            await env.start_and_wait(impatient, Order(amount=1))
        assert env.now == began + timedelta(seconds=45)


# --- payload codecs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["cold", "warm", "both"])
async def test_values_are_encoded_in_the_log_and_nowhere_else(mode: ReplayMode) -> None:
    @workflow
    async def secretive(ctx: WorkflowContext, order: Order) -> Receipt:
        paid = await ctx.run("look up", lambda: {"paid": order.amount})
        receipt = await ctx.schedule(charge, order)
        assert receipt.paid == paid["paid"]
        return receipt

    app = App(workflows=[secretive], tasks=[charge], codec=Compression())
    async with Environment(app=app, replay=mode) as env:
        handle = await env.start(secretive, Order(amount=3))
        assert await handle.result() == Receipt(paid=3)
        first = (await handle.events())[0]
        assert isinstance(first.data["input"], dict)
        assert first.data["input"]["$flowstrand"] == "encoded"
        assert replay_history(await env.history(handle), app).turns == 2


# --- the log ----------------------------------------------------------------------------------------


async def test_a_failing_task_gives_the_log_that_the_rules_say(env: Environment) -> None:
    env.fail_next(charge, NonRetryableError("declined"))
    handle = await env.start("forgiving", {"amount": 1})
    assert await handle.result() == "caught NonRetryableError"
    assert [event.type for event in await handle.events()] == S1


async def test_collecting_returns_all_that_precedes_the_stop_however_late_it_begins(env: Environment) -> None:
    handle = await env.start(order, Order(amount=1))
    await handle.result()
    collected = await env.collect_events_until(handle, stop="TASK_COMPLETED")
    assert [event.type for event in collected] == [*S1[:4], "TASK_COMPLETED"]
    assert [event.sequence for event in collected] == [1, 2, 3, 4, 5]
    rest = await env.collect_events_until(handle.id, stop=lambda event: event.sequence == 7, after=5)
    assert [event.sequence for event in rest] == [6, 7]


async def test_collecting_lets_time_pass(env: Environment) -> None:
    handle = await env.start(monthly, Order(amount=1))
    collected = await env.collect_events_until(handle, stop="TIMER_FIRED")
    assert collected[-1].type == "TIMER_FIRED"
    assert handle.status != "COMPLETED" or collected[-1].sequence < (await handle.events())[-1].sequence


async def test_collecting_what_never_comes_is_an_error_that_says_what_came(env: Environment) -> None:
    handle = await env.start(greeting)
    with pytest.raises(ExecutionStuck, match="WORKFLOW_STARTED, WORKFLOW_COMPLETED"):
        await env.collect_events_until(handle, stop="TASK_FAILED")


async def test_an_unknown_execution_is_not_found(env: Environment) -> None:
    with pytest.raises(NotFound):
        await env.collect_events_until("nobody", stop="WORKFLOW_COMPLETED")
    with pytest.raises(NotFound):
        env.handle("nobody")


# --- what is wrong with a test is said ----------------------------------------------------------------


async def test_a_task_that_the_environment_lacks_is_named_with_what_to_do() -> None:
    async with Environment(workflows=[order]) as env:
        with pytest.raises(ConfigurationError, match=r"no task 'charge': give it in `tasks=\[…\]`, or fake it"):
            await env.start_and_wait(order, Order(amount=1))


async def test_a_child_that_the_environment_lacks_is_named() -> None:
    async with Environment(workflows=[monthly], tasks=[charge]) as env:
        with pytest.raises(ConfigurationError, match="no workflow 'delivery'"):
            await env.start_and_wait(monthly, Order(amount=1))


async def test_a_task_that_never_returns_is_named_when_patience_ends() -> None:
    async def hang(_ctx: TaskContext) -> None:
        await asyncio.Event().wait()

    async with Environment(app=APP, patience_s=0.01, limit_s=0.05) as env:
        env.fake("charge", hang)
        with pytest.raises(TimeoutError, match="still running: charge"):
            await env.start_and_wait(order, Order(amount=1))


async def test_waiting_for_what_does_not_come_ends_with_the_names_of_those_who_wait() -> None:
    async with Environment(app=APP, limit_s=0.1) as env:
        env.fake(charge, lambda: env.sleep(float("inf")))
        handle = await env.start(order, Order(amount=1))
        with pytest.raises(TimeoutError, match=f"order {handle.id} is WAITING for a TASK"):
            await handle.result()


async def test_a_workflow_that_loops_without_waiting_is_found_out() -> None:
    @workflow
    async def restless(ctx: WorkflowContext) -> None:
        while True:
            await ctx.sleep(0)

    async with Environment(workflows=[restless], limit_s=0.1) as env:
        with pytest.raises(TimeoutError, match="does not come to rest"):
            await env.start_and_wait(restless)


async def test_outside_of_its_context_an_environment_does_nothing() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Environment(app=APP).start(greeting)


async def test_wrong_definitions_are_refused_at_once() -> None:
    @task
    async def other(ctx: TaskContext) -> None: ...

    with pytest.raises(InvalidDefinition, match="not a workflow"):
        Environment(workflows=[other])  # type: ignore[list-item]  # that is the test
    with pytest.raises(ConfigurationError, match="no module"):
        Environment(app="there.is.no.such")


# --- both -------------------------------------------------------------------------------------------


async def test_in_both_modes_at_once_tasks_and_functions_run_once() -> None:
    ran: list[str] = []

    def draw() -> float:
        ran.append("function")
        return time.perf_counter()

    @task
    async def once(ctx: TaskContext) -> None:
        ran.append("task")

    @workflow
    async def counted(ctx: WorkflowContext) -> float:
        drawn = await ctx.run("draw", draw)
        await ctx.schedule(once)
        return drawn

    async with Environment(workflows=[counted], tasks=[once], replay="both") as env:
        await env.start_and_wait(counted)
    assert ran == ["function", "task"]


async def test_code_that_depends_on_more_than_its_log_is_found_out() -> None:
    @workflow
    async def forgetful(ctx: WorkflowContext) -> str:
        drawn = str(uuid4())
        await ctx.sleep(1)
        return drawn  # another one, where the code was replayed meanwhile

    with pytest.raises(AssertionError, match="came out differently cold and warm") as differs:
        async with Environment(workflows=[forgetful], replay="both") as env:
            await env.start_and_wait(forgetful)
    lines = str(differs.value).splitlines()
    assert [line[:22] for line in lines if line[0] in "+-"][2:] == [
        "-6 WORKFLOW_COMPLETED ",
        "+6 WORKFLOW_COMPLETED ",
    ]
