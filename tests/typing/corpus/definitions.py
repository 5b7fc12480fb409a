"""What decorators make of functions and classes."""

from __future__ import annotations

from typing import Any, assert_type

from pydantic import BaseModel

from flowstrand import RetryPolicy, TaskContext, WorkflowContext, task, workflow
from flowstrand.sdk.task import TaskDefinition
from flowstrand.sdk.workflow import WorkflowDefinition


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


@task
def log(_ctx: TaskContext, _line: str | None) -> None:
    return None


@task(name="untyped")
def untyped(_ctx: TaskContext, value: Any) -> Any:
    return value


@task(name="charge-class")
class ChargeClass:
    async def run(self, _ctx: TaskContext, order: Order) -> Receipt:
        return Receipt(paid=order.amount)


@task(name="ship-class")
class ShipClass:
    def run(self, _ctx: TaskContext, receipt: Receipt) -> str:
        return str(receipt.paid)


@task
class PingClass:
    def run(self, _ctx: TaskContext) -> float:
        return 1.0


@task(name="async-ping-class")
class AsyncPingClass:
    async def run(self, _ctx: TaskContext) -> float:
        return 1.0


@workflow(name="child")
async def child(ctx: WorkflowContext, order: Order) -> Receipt:
    return await ctx.schedule(charge, order)


@workflow
async def alone(ctx: WorkflowContext) -> list[float]:
    return [await ctx.schedule(ping)]


@workflow(name="child-class")
class ChildClass:
    async def run(self, ctx: WorkflowContext, order: Order) -> Receipt:
        return await ctx.schedule(charge, order)


@workflow
class AloneClass:
    async def run(self, ctx: WorkflowContext) -> str:
        return ctx.kind


assert_type(charge, TaskDefinition[Order, Receipt])
assert_type(ship, TaskDefinition[Receipt, str])
assert_type(ping, TaskDefinition[None, float])
assert_type(log, TaskDefinition[str | None, None])
assert_type(untyped, TaskDefinition[Any, Any])
assert_type(child, WorkflowDefinition[Order, Receipt])
assert_type(alone, WorkflowDefinition[None, list[float]])


def no_context() -> None: ...


def two_inputs(_ctx: TaskContext, _a: int, _b: int) -> None: ...


def not_async(_ctx: WorkflowContext) -> None: ...


def for_workflows(_ctx: WorkflowContext, _order: Order) -> None: ...


class NoRun:
    pass


def refused() -> None:
    task(no_context)  # error: no context
    task(two_inputs)  # error: two inputs
    task(for_workflows)  # error: a workflow's context
    task(NoRun)  # error: nothing to run
    task(name=3)  # error: not a name
    workflow(not_async)  # error: not async
    workflow(name="a")(not_async)  # error: not async
    workflow(NoRun)  # error: nothing to run
