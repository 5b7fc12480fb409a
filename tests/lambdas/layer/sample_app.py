"""The workflows and the task of the sample events' world, as an app that a stack hosts."""

from __future__ import annotations

from typing import Any

from flowstrand import TaskContext, WorkflowContext, task, workflow


@task(name="charge-card")
async def charge_card(ctx: TaskContext, order: dict[str, int]) -> dict[str, int]:
    """What orders wait for."""
    await ctx.stream_token("charging")
    return {"charged": order["amount"]}


@workflow(name="order")
async def order(ctx: WorkflowContext, order: Any = None) -> Any:
    """Wait for one task."""
    return await ctx.schedule(charge_card, order, queue="default")


@workflow(name="approval")
async def approval(ctx: WorkflowContext, _order: Any = None) -> Any:
    """Wait for a promise."""
    return await ctx.promise("approval", key="order-1042")
