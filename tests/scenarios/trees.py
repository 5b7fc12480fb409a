"""The workflows of the scenarios about trees of executions. Their tasks run nowhere: the tests play the workers."""

from __future__ import annotations

from typing import Any

from flowstrand import App, ParentClosePolicy, RetryPolicy, WorkflowContext, workflow
from flowstrand.errors import ChildWorkflowFailed
from flowstrand.jsonvalue import JsonValue

ONCE = RetryPolicy(max_attempts=1)
deployed = {"fixed": False}
"""Whether the code that runs is the one without its mistake."""


@workflow(name="leaf")
async def leaf(ctx: WorkflowContext, name: JsonValue = None) -> JsonValue:
    """Does one piece of work."""
    return await ctx.schedule("work", name, retry=ONCE)


@workflow(name="fails")
async def fails(ctx: WorkflowContext) -> None:
    """A child that fails."""
    await ctx.sleep(0)
    raise ValueError("no luck")


@workflow(name="level")
async def level(ctx: WorkflowContext, depth: int) -> int:
    """Levels below levels, two of each, one of which fails at the bottom."""
    if depth == 0:
        raise ValueError("the bottom")
    children = [ctx.schedule_workflow("level", depth - 1) for _ in range(2)]
    lost = 0
    for child in children:
        try:
            await child
        except ChildWorkflowFailed:
            lost += 1
    return lost


@workflow(name="fan")
async def fan(ctx: WorkflowContext, count: int) -> int:
    """Many children at once."""
    return len(await ctx.gather(*(ctx.schedule_workflow("leaf", n) for n in range(count))))


@workflow(name="rounds")
async def rounds(ctx: WorkflowContext, left: int) -> int:
    """Continues as another, again and again."""
    ctx.set("left", left)
    await ctx.sleep(1)
    if left:
        await ctx.continue_as_new(left - 1)
    return left


@workflow(name="asks-rounds")
async def asks_rounds(ctx: WorkflowContext) -> JsonValue:
    """A child that is one to its parent, and several executions."""
    return await ctx.schedule_workflow("rounds", 2)


@workflow(name="abandons")
async def abandons(ctx: WorkflowContext) -> None:
    """Leaves three children behind, each in another way."""
    for policy in ParentClosePolicy:
        ctx.schedule_workflow("leaf", policy.value, parent_close_policy=policy)
    await ctx.wait_for_signal("go")


@workflow(name="lets-others-abandon")
async def lets_others_abandon(ctx: WorkflowContext) -> None:
    """Children that do, and continues as another beside them."""
    ctx.schedule_workflow("abandons", id="middle", parent_close_policy=ParentClosePolicy.ABANDON)
    await ctx.wait_for_signal("go")


@workflow(name="wants-a-name")
async def wants_a_name(ctx: WorkflowContext, name: str) -> str:
    """A child whose id may be somebody else's."""
    try:
        await ctx.schedule_workflow("leaf", name, id=name)
    except ChildWorkflowFailed as failed:
        return failed.failure_type
    return "had it"


@workflow(name="mistaken")
async def mistaken(ctx: WorkflowContext) -> JsonValue:
    """Has a mistake behind a child that has ended, and beside one that goes on."""
    went_on = ctx.schedule_workflow("leaf", "left", id="left", parent_close_policy=ParentClosePolicy.ABANDON)
    done = await ctx.schedule_workflow("leaf", "done")
    if not deployed["fixed"]:
        raise ValueError("a mistake")
    return [done, await went_on]


WORKFLOWS: list[Any] = [
    leaf,
    fails,
    level,
    fan,
    rounds,
    asks_rounds,
    abandons,
    lets_others_abandon,
    wants_a_name,
    mistaken,
]
APP = App(workflows=WORKFLOWS)
