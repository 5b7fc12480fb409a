"""`WorkflowContext` on the real driver: what it asks for, what it gives back, and that replay sees the same."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from flowstrand import (
    Handle,
    NotSerializable,
    OperationFailed,
    RetryPolicy,
    TaskContext,
    TaskFailed,
    WorkflowContext,
    task,
    workflow,
)
from flowstrand.engine.events import RetryPolicy as EngineRetryPolicy
from flowstrand.engine.replay.commands import CancelTask
from flowstrand.engine.replay.outcome import Raised, Returned, Waiting
from tests.unit.sdk_world import EXECUTION, START_MS, Strand


class Order(BaseModel):
    amount: int


class Receipt(BaseModel):
    paid: int


@task(name="charge", queue="payments", retry=RetryPolicy(max_attempts=2))
async def charge(_ctx: TaskContext, order: Order) -> Receipt:
    return Receipt(paid=order.amount)


@task(name="plain")
async def plain(_ctx: TaskContext, n: int) -> int:
    return n


@workflow(name="child")
async def child(_ctx: WorkflowContext, order: Order) -> Receipt:
    return Receipt(paid=order.amount)


def is_waiting(strand: Strand) -> bool:
    return isinstance(strand.outcome, Waiting)


# --- tasks --------------------------------------------------------------------------------------


def test_schedule_asks_for_the_task_and_returns_its_typed_result() -> None:
    @workflow
    async def place(ctx: WorkflowContext, order: Order) -> int:
        receipt = await ctx.schedule(charge, order)
        return receipt.paid + 1

    strand = Strand(place, {"amount": 5})
    asked = strand.task(1)
    assert (asked.kind, asked.input, asked.queue) == ("charge", {"amount": 5}, "payments")
    assert asked.retry.max_retries == 1
    strand.complete_task(1, {"paid": 5})
    assert strand.outcome == Returned(6)


def test_by_name_the_result_is_plain_json_and_the_queue_the_executions_own() -> None:
    @workflow
    async def place(ctx: WorkflowContext) -> Any:
        return await ctx.schedule("elsewhere", Order(amount=5))

    strand = Strand(place)
    asked = strand.task(1)
    assert (asked.input, asked.queue, asked.retry) == ({"amount": 5}, "executions-queue", EngineRetryPolicy())
    strand.complete_task(1, {"any": ["thing"]})
    assert strand.outcome == Returned({"any": ["thing"]})


def test_queue_and_retry_given_at_the_call_win() -> None:
    @workflow
    async def place(ctx: WorkflowContext) -> None:
        await ctx.schedule(charge, Order(amount=1), queue="urgent", retry=RetryPolicy(max_attempts=1))

    asked = Strand(place).task(1)
    assert (asked.queue, asked.retry.max_retries) == ("urgent", 0)


def test_the_command_is_issued_at_the_call_and_the_await_may_come_later() -> None:
    @workflow
    async def place(ctx: WorkflowContext) -> int:
        first = ctx.schedule_async(plain, 1)
        ctx.schedule(plain, 2)
        await ctx.sleep(1)
        return await first.result() + await first

    strand = Strand(place)
    assert [command.position for command in strand.commands] == [1, 2, 3]
    strand.complete_task(1, 10)
    strand.fire_timer(3)
    assert strand.outcome == Returned(20)


def test_an_input_that_does_not_fit_is_refused_at_the_call_and_asks_for_nothing() -> None:
    @workflow
    async def place(ctx: WorkflowContext) -> str:
        wrong: Any = {"amount": "many"}
        try:
            ctx.schedule(charge, wrong)
        except NotSerializable as error:
            return str(error)
        return "accepted"

    strand = Strand(place)
    assert isinstance(strand.outcome, Returned)
    assert "the input of task 'charge'" in str(strand.outcome.output)
    assert strand.commands == []


@pytest.mark.parametrize("target", [child, lambda _ctx: None, 7])
def test_only_a_task_can_be_scheduled_as_one(target: Any) -> None:
    @workflow
    async def place(ctx: WorkflowContext) -> None:
        await ctx.schedule(target)

    outcome = Strand(place).outcome
    assert isinstance(outcome, Raised)
    assert outcome.error.type == "InvalidDefinition"


def test_a_recorded_result_that_does_not_fit_the_type_raises_at_the_await() -> None:
    @workflow
    async def place(ctx: WorkflowContext) -> str:
        try:
            await ctx.schedule(charge, Order(amount=1))
        except NotSerializable as error:
            return str(error)
        return "accepted"

    strand = Strand(place)
    strand.complete_task(1, {"something": "else"})
    assert isinstance(strand.outcome, Returned)
    assert "the output of task 'charge' is not Receipt" in str(strand.outcome.output)


def test_a_broad_except_around_a_wait_does_not_end_the_workflow_early() -> None:
    @workflow
    async def place(ctx: WorkflowContext) -> str:
        try:
            await ctx.schedule(plain, 1)
        except BaseException:
            return "early"
        finally:
            ctx.logger.info("cleaning up")
        return "waited"

    strand = Strand(place)
    assert is_waiting(strand)
    strand.complete_task(1, 1)
    assert strand.outcome == Returned("waited")


def test_a_cancelled_handle_is_settled_by_the_log_alone() -> None:
    @workflow
    async def place(ctx: WorkflowContext) -> int:
        handle = ctx.schedule(plain, 1)
        handle.cancel()
        return await handle

    strand = Strand(place)
    assert isinstance(strand.commands[1], CancelTask)
    strand.complete_task(1, 3)
    assert strand.outcome == Returned(3)


# --- children and timers ------------------------------------------------------------------------


def test_a_child_is_asked_for_by_reference_or_by_name() -> None:
    @workflow
    async def parent(ctx: WorkflowContext) -> list[Any]:
        typed = ctx.schedule_workflow(child, Order(amount=2), name="the first child")
        untyped = ctx.schedule_workflow_async("child", {"amount": 3}, queue="other")
        return [(await typed).paid, await untyped]

    strand = Strand(parent)
    first, second = strand.child(1), strand.child(2)
    assert (first.kind, first.name, first.input, first.queue) == (
        "child",
        "the first child",
        {"amount": 2},
        "executions-queue",
    )
    assert (second.name, second.queue) == ("child", "other")
    strand.complete_child(2, {"paid": 3})
    strand.complete_child(1, {"paid": 2})
    assert strand.outcome == Returned([2, {"paid": 3}])


def test_timers_count_from_the_event_being_delivered() -> None:
    moment = datetime(2030, 1, 1, 1, tzinfo=UTC)

    @workflow
    async def waits(ctx: WorkflowContext) -> None:
        ctx.sleep(timedelta(days=30))
        ctx.sleep(1.5)
        await ctx.sleep_until(moment)

    strand = Strand(waits)
    now_ms = strand.driver.now_ms
    assert strand.timer(1).fire_at_ms == now_ms + 30 * 86_400_000
    assert strand.timer(2).fire_at_ms == now_ms + 1_500
    assert strand.timer(3).fire_at_ms == int(moment.timestamp() * 1_000)


def test_a_naive_moment_and_a_negative_sleep_are_refused() -> None:
    @workflow
    async def waits(ctx: WorkflowContext) -> None:
        await ctx.sleep_until(datetime(2030, 1, 1))  # noqa: DTZ001 - on purpose

    @workflow
    async def goes_back(ctx: WorkflowContext) -> None:
        await ctx.sleep(-1)

    for definition in (waits, goes_back):
        outcome = Strand(definition).outcome
        assert isinstance(outcome, Raised)
        assert outcome.error.type == "InvalidDefinition"


# --- several at once ----------------------------------------------------------------------------


def test_gather_returns_results_in_argument_order_whatever_the_order_in_the_log() -> None:
    @workflow
    async def both(ctx: WorkflowContext) -> list[int]:
        return list(await ctx.gather(*[ctx.schedule(plain, n) for n in range(3)]))

    strand = Strand(both)
    for position, output in ((3, 30), (1, 10), (2, 20)):
        strand.complete_task(position, output)
    assert strand.outcome == Returned([10, 20, 30])


def test_gather_of_nothing_is_nothing() -> None:
    @workflow
    async def nothing(ctx: WorkflowContext) -> int:
        empty: list[Handle[int]] = []
        return len(await ctx.gather(*empty))

    assert Strand(nothing).outcome == Returned(0)


def test_gather_fails_with_the_first_failure_in_the_log() -> None:
    @workflow
    async def both(ctx: WorkflowContext) -> str:
        try:
            await ctx.gather(ctx.schedule(plain, 1), ctx.schedule(plain, 2), ctx.schedule(plain, 3))
        except TaskFailed as failure:
            return failure.message
        return "no failure"

    strand = Strand(both)
    strand.fail_task(2, "second")
    assert strand.outcome == Returned("second")


def test_gather_with_return_exceptions_waits_for_all() -> None:
    @workflow
    async def both(ctx: WorkflowContext) -> list[str]:
        results = await ctx.gather(ctx.schedule(plain, 1), ctx.schedule(plain, 2), return_exceptions=True)
        return [str(result) for result in results]

    strand = Strand(both)
    strand.fail_task(1, "broken")
    assert is_waiting(strand)
    strand.complete_task(2, 2)
    assert strand.outcome == Returned(["broken", "2"])


def test_gather_runs_coroutines_as_branches_that_interleave_in_log_order() -> None:
    order: list[str] = []

    async def branch(ctx: WorkflowContext, name: str) -> str:
        for step in range(2):
            await ctx.schedule(plain, step)
            order.append(f"{name}{step}")
        return name

    @workflow
    async def both(ctx: WorkflowContext) -> list[Any]:
        return list(await ctx.gather(branch(ctx, "a"), branch(ctx, "b"), ctx.schedule(plain, 9)))

    strand = Strand(both)
    for position in (3, 2, 4, 5, 1):
        strand.complete_task(position, position)
    assert strand.outcome == Returned(["a", "b", 1])
    assert order == ["b0", "a0", "b1", "a1"]
    order.clear()
    assert strand.replayed().outcome() == strand.outcome
    assert order == ["b0", "a0", "b1", "a1"]


def test_gathers_nest() -> None:
    @workflow
    async def nested(ctx: WorkflowContext) -> list[int]:
        (first, second), third = await ctx.gather(
            ctx.gather(ctx.schedule(plain, 1), ctx.schedule(plain, 2)), ctx.schedule(plain, 3)
        )
        return [first, second, third]

    strand = Strand(nested)
    positions = {strand.task(p).input: p for p in (1, 2, 3)}
    for value in (2, 3, 1):
        position = positions[value]
        strand.complete_task(position, value * 10)
    assert strand.outcome == Returned([10, 20, 30])


def test_gather_refuses_what_it_cannot_wait_for_before_it_begins_anything() -> None:
    async def branch(ctx: WorkflowContext) -> None:
        await ctx.schedule(plain, 1)

    @workflow
    async def wrong(ctx: WorkflowContext) -> None:
        foreign: Any = 7
        await ctx.gather(branch(ctx), foreign)

    strand = Strand(wrong)
    assert isinstance(strand.outcome, Raised)
    assert strand.outcome.error.type == "ForeignAwaitable"
    assert strand.commands == []


def test_select_returns_the_handle_that_settled_first_in_the_log_on_every_replay() -> None:
    @workflow
    async def race(ctx: WorkflowContext) -> list[Any]:
        handles = {"a": ctx.schedule(plain, 1), "b": ctx.schedule(plain, 2)}
        await ctx.sleep(60)
        winner = await ctx.select(*handles.values())
        return [next(name for name, handle in handles.items() if handle is winner), await winner]

    strand = Strand(race)
    strand.complete_task(2, 20)
    strand.complete_task(1, 10)
    strand.fire_timer(3)
    assert strand.outcome == Returned(["b", 20])
    assert strand.replayed().outcome() == Returned(["b", 20])


@pytest.mark.parametrize(("arguments", "error"), [([], "ValueError"), ([7], "ForeignAwaitable")])
def test_select_takes_one_handle_or_more(arguments: list[Any], error: str) -> None:
    @workflow
    async def race(ctx: WorkflowContext) -> None:
        await ctx.select(*arguments)

    outcome = Strand(race).outcome
    assert isinstance(outcome, Raised)
    assert outcome.error.type == error


def test_as_completed_gives_each_handle_once_in_log_order_on_every_replay() -> None:
    @workflow
    async def collect(ctx: WorkflowContext) -> list[str]:
        handles = [ctx.schedule(plain, n) for n in range(3)]
        seen = []
        async for handle in ctx.as_completed(*handles, handles[0]):
            try:
                seen.append(f"{handles.index(handle)} gave {await handle}")
            except TaskFailed as failure:
                seen.append(f"{handles.index(handle)} failed: {failure.message}")
        return seen

    strand = Strand(collect)
    strand.complete_task(3, 30)
    assert is_waiting(strand)
    strand.fail_task(1, "no luck")
    strand.complete_task(2, 20)
    expected = Returned(["2 gave 30", "0 failed: no luck", "1 gave 20"])
    assert strand.outcome == expected
    assert strand.replayed().outcome() == expected


def test_as_completed_gives_what_settled_before_the_loop_in_log_order_too() -> None:
    @workflow
    async def collect(ctx: WorkflowContext) -> list[int]:
        handles = [ctx.schedule(plain, n) for n in range(2)]
        await ctx.sleep(60)
        return [await handle async for handle in ctx.as_completed(*handles)]

    strand = Strand(collect)
    strand.complete_task(2, 20)
    strand.complete_task(1, 10)
    strand.fire_timer(3)
    assert strand.outcome == Returned([20, 10])
    assert strand.replayed().outcome() == Returned([20, 10])


def test_leaving_as_completed_early_leaves_the_rest_open_and_runs_nothing_of_it() -> None:
    @workflow
    async def first_only(ctx: WorkflowContext) -> int:
        handles = [ctx.schedule(plain, n) for n in range(2)]
        async for handle in ctx.as_completed(*handles):
            result = await handle
            break
        await ctx.sleep(60)
        return result

    strand = Strand(first_only)
    strand.complete_task(2, 20)
    assert is_waiting(strand)
    assert [command.position for command in strand.commands] == [1, 2, 3]
    strand.fire_timer(3)
    assert strand.outcome == Returned(20)


def test_as_completed_of_nothing_is_over_at_once_and_takes_handles_only() -> None:
    @workflow
    async def nothing(ctx: WorkflowContext) -> int:
        none: list[Handle[int]] = []
        return len([handle async for handle in ctx.as_completed(*none)])

    @workflow
    async def foreign(ctx: WorkflowContext, target: Any = 7) -> None:
        ctx.as_completed(target)

    assert Strand(nothing).outcome == Returned(0)
    outcome = Strand(foreign).outcome
    assert isinstance(outcome, Raised)
    assert outcome.error.type == "ForeignAwaitable"


# --- side effects -------------------------------------------------------------------------------


def read_order(amount: int) -> Order:
    return Order(amount=amount)


async def read_order_slowly(amount: int) -> Order:
    await asyncio.sleep(0)
    return Order(amount=amount)


@pytest.mark.parametrize("function", [read_order, read_order_slowly])
def test_run_records_what_a_function_returns_and_gives_it_back_typed(function: Any) -> None:
    @workflow
    async def reads(ctx: WorkflowContext) -> int:
        order = await ctx.run("read the order", function, 5)
        assert type(order) is Order
        return order.amount

    strand = Strand(reads)
    asyncio.run(strand.run_operation(1))
    assert strand.log[-1].data.result == {"amount": 5}  # type: ignore[union-attr]  # an OPERATION_COMPLETED
    assert strand.outcome == Returned(5)
    assert strand.replayed().outcome() == Returned(5)


def test_run_raises_what_the_function_raised_and_what_cannot_be_recorded() -> None:
    def breaks() -> None:
        raise ValueError("broken")

    def unrecordable() -> Any:
        return object()

    @workflow
    async def reads(ctx: WorkflowContext) -> list[str]:
        found = []
        for name, function in (("breaks", breaks), ("unrecordable", unrecordable)):
            try:
                await ctx.run(name, function)
            except OperationFailed as failure:
                found.append(failure.error_type)
        return found

    strand = Strand(reads)
    asyncio.run(strand.run_operation(1))
    asyncio.run(strand.run_operation(2))
    assert strand.outcome == Returned(["ValueError", "NotSerializable"])


def test_a_function_given_to_run_may_not_ask_the_context_for_anything() -> None:
    @workflow
    async def sneaks(ctx: WorkflowContext) -> str:
        async def later() -> None:
            ctx.schedule(plain, 1)

        found = []
        for name, function in (("now", lambda: ctx.schedule(plain, 1)), ("later", later)):
            try:
                attempt: Awaitable[Any] = ctx.run(name, function)
                await attempt
            except OperationFailed as failure:
                found.append(failure.error_type)
        return " ".join(found)

    strand = Strand(sneaks)
    asyncio.run(strand.run_operation(1))
    asyncio.run(strand.run_operation(2))
    assert strand.outcome == Returned("DeadContext DeadContext")
    assert strand.commands == []


# --- what replays alike -------------------------------------------------------------------------


def test_time_chance_and_ids_are_the_same_on_every_replay() -> None:
    @workflow
    async def draws(ctx: WorkflowContext) -> list[Any]:
        before = [ctx.current_time().isoformat(), ctx.random.random(), str(ctx.random_uuid())]
        await ctx.schedule(plain, 1)
        return [*before, ctx.current_time().isoformat(), ctx.random.random(), str(ctx.random_uuid())]

    strand = Strand(draws)
    random.seed(1)
    strand.complete_task(1, 1)
    random.seed(2)
    outcome = strand.outcome
    assert strand.replayed().outcome() == outcome
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.output, list)
    first_time, first, first_id, second_time, second, second_id = outcome.output
    assert datetime.fromisoformat(str(first_time)).timestamp() * 1_000 == START_MS + 1_000
    assert datetime.fromisoformat(str(second_time)).timestamp() * 1_000 == START_MS + 2_000
    assert first != second
    assert first_id != second_id
    assert uuid.UUID(str(first_id)).version == 4


def test_the_logger_is_silent_while_replaying(caplog: pytest.LogCaptureFixture) -> None:
    @workflow
    async def talks(ctx: WorkflowContext) -> None:
        ctx.logger.info("before")
        await ctx.schedule(plain, 1)
        ctx.logger.info("after")

    caplog.set_level(logging.INFO)
    strand = Strand(talks)
    strand.complete_task(1, 1)
    assert [record.getMessage() for record in caplog.records] == ["before", "after"]
    assert caplog.records[0].__dict__["workflow_execution_id"] == EXECUTION
    caplog.clear()
    strand.replayed()
    assert caplog.records == []


def test_a_workflow_class_is_made_anew_for_each_execution() -> None:
    class Counts:
        def __init__(self) -> None:
            self.runs = 0

        async def run(self, ctx: WorkflowContext, n: int) -> int:
            self.runs += await ctx.schedule(plain, n)
            return self.runs

    declare: Any = workflow(name="class-workflow")
    definition = declare(Counts)
    for _ in range(2):
        strand = Strand(definition, 4)
        strand.complete_task(1, 4)
        assert strand.outcome == Returned(4)


def test_an_input_that_does_not_fit_fails_the_execution() -> None:
    outcome = Strand(child, {"amount": None}).outcome
    assert isinstance(outcome, Raised)
    assert outcome.error.type == "NotSerializable"
