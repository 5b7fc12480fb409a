"""The SDK is typed end to end. The type checker is the test here: each `assert_type` must hold, and each line with a
`type: ignore` must be an error, or mypy (strict, in `scripts/lint`) reports the ignore as unused.
"""

from __future__ import annotations

from typing import assert_type

from pydantic import BaseModel

from flowstrand import App, Handle, JsonValue, RetryPolicy, TaskContext, WorkflowContext, task, workflow
from flowstrand.engine.replay.program import Program
from flowstrand.sdk.task import TaskDefinition
from flowstrand.sdk.workflow import WorkflowDefinition
from flowstrand.service.container import Programs


class Order(BaseModel):
    amount: int


class Receipt(BaseModel):
    paid: int


@task
async def charge(_ctx: TaskContext, order: Order) -> Receipt:
    return Receipt(paid=order.amount)


@task(name="ship", retry=RetryPolicy(max_attempts=2), queue="slow")
def ship(_ctx: TaskContext, receipt: Receipt) -> str:
    return str(receipt.paid)


@task
async def ping(_ctx: TaskContext) -> float:
    return 1.0


@task(name="charge-class")
class ChargeClass:
    async def run(self, _ctx: TaskContext, order: Order) -> Receipt:
        return Receipt(paid=order.amount)


@task
class PingClass:
    def run(self, _ctx: TaskContext) -> float:
        return 1.0


assert_type(charge, TaskDefinition[Order, Receipt])
assert_type(ship, TaskDefinition[Receipt, str])
assert_type(ping, TaskDefinition[None, float])


@workflow(name="child")
async def child(ctx: WorkflowContext, order: Order) -> Receipt:
    return await ctx.schedule(charge, order)


@workflow
class ChildClass:
    async def run(self, ctx: WorkflowContext) -> str:
        return ctx.kind


assert_type(child, WorkflowDefinition[Order, Receipt])


async def read(name: str, *, times: int = 1) -> Order:
    return Order(amount=len(name) * times)


def count(name: str) -> int:
    return len(name)


@workflow
async def parent(ctx: WorkflowContext, order: Order) -> int:
    assert_type(await ctx.schedule(charge, order), Receipt)
    assert_type(await ctx.schedule(ship, Receipt(paid=1)), str)
    assert_type(await ctx.schedule(ping), float)
    assert_type(await ctx.schedule(ChargeClass, order), Receipt)
    assert_type(await ctx.schedule(PingClass), float)
    assert_type(await ctx.schedule("by-name", order), JsonValue)
    handle = ctx.schedule_async(charge, order)
    assert_type(handle, Handle[Receipt])
    assert_type(await handle.result(), Receipt)

    assert_type(await ctx.schedule_workflow(child, order), Receipt)
    assert_type(await ctx.schedule_workflow_async(ChildClass).result(), str)
    assert_type(await ctx.schedule_workflow("by-name"), JsonValue)

    first, second = await ctx.gather(ctx.schedule(charge, order), ctx.schedule(ping))
    assert_type(first, Receipt)
    assert_type(second, float)
    assert_type(await ctx.gather(*[ctx.schedule(ping) for _ in range(9)]), tuple[float, ...])
    settled = await ctx.gather(ctx.schedule(ping), ctx.schedule(ping), return_exceptions=True)
    assert_type(settled, tuple[float | BaseException, ...])
    winner = await ctx.select(ctx.schedule(ping), ctx.schedule(ping))
    assert_type(winner, Handle[float])

    assert_type(await ctx.run("read", read, "x", times=2), Order)
    assert_type(await ctx.run("count", count, "x"), int)
    assert_type(await ctx.run("lambda", lambda: 3), int)
    return 1


async def refused(ctx: WorkflowContext, order: Order) -> str:
    await ctx.schedule(charge, "three")  # type: ignore[misc]  # not an Order
    await ctx.schedule(charge)  # type: ignore[arg-type]  # no input
    await ctx.schedule(ChargeClass, 3)  # type: ignore[misc]  # not an Order
    await ctx.schedule_workflow(charge, order)  # type: ignore[call-overload]  # a task is no workflow
    await ctx.schedule(child, order)  # type: ignore[call-overload]  # nor the other way round
    await ctx.run("count", count, 3)  # type: ignore[call-overload]  # not a name
    await ctx.select(ping)  # type: ignore[arg-type]  # not a handle
    text: str = await ctx.schedule(ping)  # type: ignore[arg-type]  # a float
    return text


def test_what_type_checkers_accept_is_accepted_when_it_runs() -> None:
    app = App(workflows=[child, parent, ChildClass], tasks=[charge, ship, ping, ChargeClass, PingClass])
    programs: Programs = app
    program: Program = child
    assert programs.program(program.kind) is child
    assert app.kinds() == ["ChildClass", "child", "parent"]
    assert app.task_kinds() == ["PingClass", "charge", "charge-class", "ping", "ship"]
