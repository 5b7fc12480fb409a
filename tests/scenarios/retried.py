"""The workflows of the scenarios about retries from history."""

from __future__ import annotations

from typing import Any

from flowstrand import RetryPolicy, WorkflowContext, workflow
from flowstrand.errors import TaskFailed
from flowstrand.jsonvalue import JsonValue

ONCE = RetryPolicy(max_attempts=1)

deployed = {"fixed": False}
"""Whether the code that runs is the one without its mistakes."""
ran: list[str] = []
"""The functions that `fulfils` has run, in all processes."""


@workflow(name="fulfils")
async def fulfils(ctx: WorkflowContext, order: JsonValue) -> JsonValue:
    """Handles one failure, and has a mistake after work of every kind."""
    key = str(ctx.random_uuid())
    ctx.set("order", order)
    price: Any = await ctx.run("price", _price)
    try:
        await ctx.schedule("reserve", retry=ONCE)
        reserved = "here"
    except TaskFailed:
        reserved = str(await ctx.schedule("reserve-elsewhere", retry=ONCE))
    gift = await ctx.wait_for_signal("gift")
    child = await ctx.schedule_workflow("child", {"order": order})
    if not deployed["fixed"]:
        raise ValueError("a mistake")
    shipped = await ctx.schedule("ship", {"key": key}, retry=ONCE)
    same_key = isinstance(shipped, dict) and shipped.get("key") == key
    return {"price": price, "reserved": reserved, "gift": gift, "child": child, "sameKey": same_key}


def _price() -> int:
    ran.append("price")
    return 42


@workflow(name="charges")
async def charges(ctx: WorkflowContext) -> JsonValue:
    """Work that fails for good."""
    first = await ctx.schedule("first", retry=ONCE)
    return [first, await ctx.schedule("charge", {"key": str(ctx.random_uuid())}, retry=ONCE)]


WORKFLOWS: list[Any] = [fulfils, charges]
