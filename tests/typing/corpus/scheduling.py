"""Tasks, children, operations and combinators have the types that their definitions declare."""

from __future__ import annotations

from functools import partial
from typing import Any, assert_type

from flowstrand import Handle, JsonValue, RetryPolicy, WorkflowContext, workflow
from tests.typing.corpus.definitions import (
    AloneClass,
    AsyncPingClass,
    ChargeClass,
    ChildClass,
    Order,
    PingClass,
    Receipt,
    ShipClass,
    alone,
    charge,
    child,
    log,
    ping,
    ship,
    untyped,
)


async def read(name: str, *, times: int = 1) -> Order:
    return Order(amount=len(name) * times)


def count(name: str) -> int:
    return len(name)


@workflow
async def tasks(ctx: WorkflowContext, order: Order) -> int:
    assert_type(await ctx.schedule(charge, order), Receipt)
    assert_type(await ctx.schedule(ship, Receipt(paid=1), queue="fast", retry=RetryPolicy()), str)
    assert_type(await ctx.schedule(ping), float)
    assert_type(await ctx.schedule(log, None), None)
    assert_type(await ctx.schedule(untyped, {"a": 1}), Any)
    assert_type(await ctx.schedule(ChargeClass, order), Receipt)
    assert_type(await ctx.schedule(ShipClass, Receipt(paid=1)), str)
    assert_type(await ctx.schedule(PingClass), float)
    assert_type(await ctx.schedule(AsyncPingClass), float)
    assert_type(await ctx.schedule("by-name", order), JsonValue)
    return 1


@workflow
async def handles(ctx: WorkflowContext, order: Order) -> int:
    handle = ctx.schedule_async(charge, order)
    assert_type(handle, Handle[Receipt])
    assert_type(await handle, Receipt)
    assert_type(await handle.result(), Receipt)
    assert_type(ctx.schedule_async(PingClass), Handle[float])
    assert_type(ctx.schedule_async("by-name"), Handle[JsonValue])
    return 1


@workflow
async def children(ctx: WorkflowContext, order: Order) -> int:
    assert_type(await ctx.schedule_workflow(child, order), Receipt)
    assert_type(await ctx.schedule_workflow(alone), list[float])
    assert_type(await ctx.schedule_workflow(ChildClass, order, queue="slow"), Receipt)
    assert_type(await ctx.schedule_workflow_async(AloneClass).result(), str)
    assert_type(await ctx.schedule_workflow("by-name"), JsonValue)
    return 1


@workflow
async def operations(ctx: WorkflowContext) -> int:
    assert_type(await ctx.run("read", read, "x", times=2), Order)
    assert_type(await ctx.run("count", count, "x"), int)
    assert_type(await ctx.run("lambda", lambda: 3), int)
    assert_type(await ctx.run("partial", partial(count, "x")), int)
    assert_type(ctx.run("read", read, "x"), Handle[Order])
    return 1


@workflow
async def combinators(ctx: WorkflowContext, order: Order) -> int:
    first, second = await ctx.gather(ctx.schedule(charge, order), ctx.schedule(ping))
    assert_type(first, Receipt)
    assert_type(second, float)
    four = await ctx.gather(
        ctx.schedule(charge, order), ctx.schedule(ping), ctx.sleep(1), ctx.run("c", count, "x")
    )
    assert_type(four, tuple[Receipt, float, None, int])
    assert_type(await ctx.gather(*[ctx.schedule(ping) for _ in range(9)]), tuple[float, ...])
    winner = await ctx.select(ctx.schedule(ping), ctx.schedule(ping))
    assert_type(winner, Handle[float])
    async for done in ctx.as_completed(ctx.schedule(ping), ctx.schedule(ping)):
        assert_type(done, Handle[float])
    return 1


@workflow
async def waiting(ctx: WorkflowContext, order: Order) -> int:
    assert_type(await ctx.with_timeout(ctx.schedule(charge, order), 3), Receipt)
    assert_type(await ctx.with_timeout(ctx.wait_for_signal("go", Order), 3), Order)
    assert_type(await ctx.shield(ctx.schedule(ping)), float)
    assert_type(await ctx.promise("approval", Receipt, timeout=3), Receipt)
    assert_type(await ctx.promise("approval"), Any)
    assert_type(ctx.drain_signals("go", Order), list[Order])
    assert_type(ctx.get("count", int), int | None)
    assert_type(ctx.get("count", int, 0), int)
    outcome = await ctx.map([order], charge, max_concurrency=2)
    assert_type(outcome.values, list[Receipt])
    lengths = await ctx.map(["a"], lambda name: ctx.run("count", count, name))
    assert_type(lengths.values, list[int])
    assert_type(await ctx.run("again", lambda: 3, retry=RetryPolicy()), int)
    return 1


async def refused(ctx: WorkflowContext, order: Order) -> str:
    await ctx.schedule(charge, "three")  # error: not an Order
    await ctx.schedule(charge)  # error: no input
    await ctx.schedule(ping, order)  # error: takes no input
    await ctx.schedule(ChargeClass, 3)  # error: not an Order
    await ctx.schedule(charge, order, priority="high")  # error: no such option
    await ctx.schedule_async(ship, order)  # error: not a Receipt
    await ctx.schedule_workflow(charge, order)  # error: a task is no workflow
    await ctx.schedule_workflow(child, Receipt(paid=1))  # error: not an Order
    await ctx.schedule_workflow(ChildClass, Receipt(paid=1))  # error: not an Order
    await ctx.schedule(child, order)  # error: nor the other way round
    await ctx.run("count", count, 3)  # error: not a name
    await ctx.run("count", count)  # error: an argument is missing
    await ctx.run(count, "x")  # error: the operation needs a name
    await ctx.select(ping)  # error: not a handle
    await ctx.map(["three"], charge)  # error: not Orders
    await ctx.with_timeout(3, 3)  # error: nothing to wait for
    receipt: Receipt = await ctx.schedule(ping)  # error: a float
    pair: tuple[Receipt, str] = await ctx.gather(ctx.run("r", read, "x"), ctx.sleep(1))  # error: other types
    text: str = await ctx.schedule_workflow(child, order)  # error: a Receipt
    return f"{receipt}{pair}{text}"
