"""What comes from outside: signals, promises, cancellation, and what tasks emit."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from flowstrand import TaskContext, WorkflowContext, workflow
from flowstrand.errors import ExecutionStuck, NotFound, WorkflowCancelled, WorkflowFailed
from flowstrand.testing import Environment, replay_history
from tests.unit.testing.app import APP, Receipt, monthly, order
from tests.unit.testing.app import Order as MonthlyOrder

pytestmark = pytest.mark.anyio


@workflow
async def conversation(ctx: WorkflowContext) -> list[str]:
    heard: list[str] = []
    while "bye" not in heard:
        heard.append(await ctx.wait_for_signal("say", str))
    return heard


@workflow
async def approval(ctx: WorkflowContext) -> str:
    return f"approved by {await ctx.promise('approver', str, key='approval-1')}"


@workflow
async def unkeyed(ctx: WorkflowContext) -> str:
    return f"approved by {await ctx.promise('approver', str)}"


@pytest.fixture(params=["cold", "warm", "both"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[Environment]:
    workflows = [conversation, approval, unkeyed]
    async with Environment(app=APP, workflows=workflows, replay=request.param) as env:
        yield env


async def test_signals_reach_the_workflow_in_order(env: Environment) -> None:
    handle = await env.start(conversation)
    await env.signal(handle, "say", "hello")
    await handle.signal("say", "well")
    await env.signal(handle.id, "say", "bye")
    assert await handle.result() == ["hello", "well", "bye"]


async def test_a_workflow_that_nobody_signals_is_stuck_and_said_to_be(env: Environment) -> None:
    handle = await env.start(conversation)
    with pytest.raises(ExecutionStuck, match=f"conversation {handle.id} is WAITING for a SIGNAL"):
        await handle.result()


async def test_a_promise_is_resolved_by_its_key_and_only_once(env: Environment) -> None:
    handle = await env.start(approval)
    assert await env.resolve_promise("key:approval-1", "ann") is True
    assert await handle.result() == "approved by ann"


async def test_a_promise_is_rejected_by_its_id_which_the_environment_knows_by_its_name(env: Environment) -> None:
    handle = await env.start(unkeyed)
    promise = await env.promise(handle, "approver")
    assert await env.reject_promise(promise, PermissionError("not you")) is True
    with pytest.raises(WorkflowFailed, match="not you"):
        await handle.result()
    with pytest.raises(NotFound, match="no promise 'approvers'"):
        await env.promise(handle, "approvers")


async def test_a_waiting_execution_is_cancelled(env: Environment) -> None:
    handle = await env.start(monthly, MonthlyOrder(amount=1))
    began = env.now
    await env.cancel(handle, "no longer wanted")
    with pytest.raises(WorkflowCancelled, match="no longer wanted"):
        await handle.result()
    assert (handle.status, env.now) == ("CANCELLED", began)
    assert replay_history(await env.history(handle), APP).turns == 1


async def test_what_a_task_emits_precedes_its_result(env: Environment) -> None:
    async def chatty(ctx: TaskContext) -> Receipt:
        for word in ("one", "two"):
            await ctx.stream_token(word)
        return Receipt(paid=1)

    env.fake("charge", chatty)
    handle = await env.start(order, MonthlyOrder(amount=1))
    await handle.result()
    types = [event.type for event in await handle.events()]
    assert types[3:7] == ["TASK_STARTED", "STREAM_TOKEN", "STREAM_TOKEN", "TASK_COMPLETED"]


async def test_what_is_not_there_is_not_found_whatever_comes_from_outside(env: Environment) -> None:
    with pytest.raises(NotFound):
        await env.signal("nobody", "say", "hello")
    with pytest.raises(NotFound):
        await env.cancel("nobody")
