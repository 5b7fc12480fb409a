"""Standalone tasks in the test kit: the worker's own code runs them, and time passes only where somebody waits."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
from pydantic import BaseModel

from flowstrand import RetryPolicy, TaskContext, task, workflow
from flowstrand.errors import NotFound, NotSerializable, TaskCancelled, TaskFailed, TaskTimeout
from flowstrand.sdk.workflow_context import WorkflowContext
from flowstrand.testing import Environment, ExecutionStuck

pytestmark = pytest.mark.anyio


class Order(BaseModel):
    amount: int


class Receipt(BaseModel):
    paid: int
    in_workflow: str | None


@task(retry=RetryPolicy(max_attempts=2, initial=60, jitter=0))
async def charge(ctx: TaskContext, order: Order) -> Receipt:
    await ctx.stream_token("charging")
    return Receipt(paid=order.amount, in_workflow=ctx.workflow_execution_id)


@workflow
async def idle(ctx: WorkflowContext) -> None:
    await ctx.wait_for_signal("never")


@pytest.fixture(params=["cold", "both"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[Environment]:
    async with Environment(workflows=[idle], tasks=[charge], replay=request.param) as env:
        yield env


async def test_a_task_is_run_and_its_output_is_of_its_type(env: Environment) -> None:
    handle = await env.start_task(charge, Order(amount=5))
    assert await handle.result() == Receipt(paid=5, in_workflow=None)
    events = await handle.events()
    assert [event.type for event in events] == ["TASK_CREATED", "TASK_STARTED", "STREAM_TOKEN", "TASK_COMPLETED"]
    assert handle.status == "COMPLETED"
    assert env.executions() == []


async def test_a_failed_attempt_is_retried_at_its_time(env: Environment) -> None:
    env.fail_next(charge, ValueError("declined"))
    began = env.now
    handle = await env.start_task(charge, Order(amount=5))
    assert handle.status == "PENDING"
    assert (await handle.result()).paid == 5
    assert (env.now - began).total_seconds() == 60


async def test_what_fails_for_good_is_raised(env: Environment) -> None:
    env.fake(charge, lambda: 1 // 0)
    handle = await env.start_task(charge, Order(amount=5), retry=RetryPolicy(max_attempts=1))
    with pytest.raises(TaskFailed, match="division") as failed:
        await handle.result()
    assert (failed.value.kind, failed.value.error_type, failed.value.id) == (
        "charge",
        "ZeroDivisionError",
        handle.id,
    )


async def test_a_deadline_is_a_timeout(env: Environment) -> None:
    async def slow() -> None:
        await env.sleep(math.inf)

    env.fake(charge, slow)
    handle = await env.start_task(charge, Order(amount=5), timeout=30)
    with pytest.raises(TaskTimeout):
        await handle.result()


async def test_a_cancelled_task_stops_at_its_next_heartbeat(env: Environment) -> None:
    stopped: list[str] = []

    async def slow(ctx: TaskContext) -> None:
        try:
            await env.sleep(math.inf)
        except asyncio.CancelledError:
            stopped.append(f"cancelled: {ctx.is_cancelled}")
            raise

    env.fake(charge, slow)
    handle = await env.start_task(charge, Order(amount=5))
    await handle.cancel("not any more")
    with pytest.raises(TaskCancelled, match="not any more"):
        await handle.result()
    await env.advance(60)
    assert stopped == ["cancelled: True"]


async def test_bad_input_and_unknown_kinds_are_refused(env: Environment) -> None:
    with pytest.raises(NotSerializable):
        await env.start_task("charge", object())
    with pytest.raises(NotFound):
        await env.start_task("nobody-knows-this")


async def test_a_stuck_workflow_beside_it_is_still_named(env: Environment) -> None:
    await env.start_task(charge, Order(amount=5))
    handle = await env.start(idle)
    with pytest.raises(ExecutionStuck, match="idle"):
        await handle.result()


async def test_what_a_task_has_logged_is_there_at_its_end(env: Environment) -> None:
    async def speaks(ctx: TaskContext, order: Order) -> Receipt:
        ctx.logger.info("attempt %d", ctx.attempt, extra={"amount": order.amount})
        if ctx.attempt == 1:
            ctx.logger.warning("once more")
            raise ConnectionError
        return Receipt(paid=order.amount, in_workflow=None)

    env.fake(charge, speaks)
    handle = await env.start_task(charge, Order(amount=5))
    await handle.result()
    said = await handle.logs()
    assert [(one.attempt, one.level, one.message) for one in said] == [
        (1, "INFO", "attempt 1"),
        (1, "WARNING", "once more"),
        (2, "INFO", "attempt 2"),
    ]
    assert said[0].fields == {"amount": 5}
    assert [one.message for one in await env.task_logs(handle.id, attempt=1, level="WARNING")] == ["once more"]
    with pytest.raises(NotFound):
        await env.task_logs("01NEVER.t0")
