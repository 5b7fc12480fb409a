"""What the test kit's own tests run."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel

from flowstrand import App, RetryPolicy, TaskContext, TaskFailed, WorkflowContext, task, workflow


class Order(BaseModel):
    amount: int


class Receipt(BaseModel):
    paid: int


@task(retry=RetryPolicy(max_attempts=4))
async def charge(ctx: TaskContext, order: Order) -> Receipt:
    return Receipt(paid=order.amount)


@task
def ship(ctx: TaskContext, amount: int) -> str:
    return f"parcel worth {amount}"


@workflow
async def greeting(ctx: WorkflowContext) -> str:
    return "hello"


@workflow
async def order(ctx: WorkflowContext, order: Order) -> Receipt:
    return await ctx.schedule(charge, order)


@workflow
async def delivery(ctx: WorkflowContext, amount: int) -> str:
    return await ctx.schedule(ship, amount)


@workflow
async def monthly(ctx: WorkflowContext, order: Order) -> str:
    """A month, a task that may fail, a child."""
    await ctx.sleep(timedelta(days=30))
    receipt = await ctx.schedule(charge, order)
    return await ctx.schedule_workflow(delivery, receipt.paid)


@workflow
async def forgiving(ctx: WorkflowContext, order: Order) -> str:
    try:
        await ctx.schedule(charge, order)
    except TaskFailed as failed:
        return f"caught {failed.error_type}"
    return "paid"


@workflow
async def broken(ctx: WorkflowContext) -> None:
    raise LookupError("nothing there")


@workflow
async def pair(ctx: WorkflowContext) -> list[str]:
    return list(await ctx.gather(ctx.schedule(ship, 1), ctx.schedule(ship, 2)))


@workflow
async def shopping(ctx: WorkflowContext, basket: list[int]) -> list[str]:
    """Something of everything that a log records."""
    token = await ctx.run("token", lambda: "T-1")
    parcels = await ctx.gather(*(ctx.schedule(ship, amount) for amount in basket))
    await ctx.sleep(60)
    note = await ctx.run("note", lambda: "thank you")
    last = await ctx.schedule_workflow(delivery, sum(basket))
    return [token, *parcels, note, last]


@workflow
async def countdown(ctx: WorkflowContext, left: int) -> str:
    """Continues as new until nothing is left."""
    await ctx.sleep(60)
    if left:
        await ctx.continue_as_new(left - 1)
    return "lift-off"


APP = App(
    workflows=[greeting, order, delivery, monthly, forgiving, broken, pair, shopping, countdown],
    tasks=[charge, ship],
)
