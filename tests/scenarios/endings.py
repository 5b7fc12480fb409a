"""The workflows of the scenarios about how executions end: cancelled, continued, or with a promise that somebody settled."""

from __future__ import annotations

from typing import Any

from flowstrand import ParentClosePolicy, RetryPolicy, WorkflowContext, workflow
from flowstrand.errors import ChildWorkflowFailed, PromiseRejected, PromiseTimeout, WorkflowCancelled
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.workflow import WorkflowDefinition

ONCE = RetryPolicy(max_attempts=1)


@workflow(name="works")
async def works(ctx: WorkflowContext) -> JsonValue:
    """S13: one task."""
    return await ctx.schedule("work", retry=ONCE)


@workflow(name="undoes")
async def undoes(ctx: WorkflowContext) -> None:
    """S13: what the first task did is undone where the second does not come to its end."""
    await ctx.schedule("charge", retry=ONCE)
    ctx.compensate(ctx.schedule, "refund", retry=ONCE)
    await ctx.schedule("ship", retry=ONCE)


@workflow(name="survives")
async def survives(ctx: WorkflowContext, how: str) -> str:
    """S13: catches its cancellation, and returns or fails."""
    try:
        await ctx.schedule("work", retry=ONCE)
    except WorkflowCancelled as cancelled:
        if how == "raises":
            raise ValueError("not like this") from cancelled
        return f"survived: {cancelled.message}"
    return "worked"


@workflow(name="shields")
async def shields(ctx: WorkflowContext) -> JsonValue:
    """S13: what it waits for is not disturbed by its cancellation."""
    return await ctx.shield(ctx.schedule("work", retry=ONCE))


@workflow(name="generation")
async def generation(ctx: WorkflowContext, depth: int) -> JsonValue:
    """S13: generations of children, the last of which works."""
    if depth == 0:
        return await ctx.schedule("work", retry=ONCE)
    return await ctx.schedule_workflow("generation", depth - 1)


@workflow(name="leaves")
async def leaves(ctx: WorkflowContext, policy: ParentClosePolicy) -> str:
    """Ends while the generations below are still at work."""
    ctx.schedule_workflow_async("generation", 1, parent_close_policy=policy)
    await ctx.sleep(1)
    return "left"


@workflow(name="names-its-child")
async def names_its_child(ctx: WorkflowContext, id: str) -> object:
    """A child with an id of its author's."""
    try:
        return await ctx.schedule_workflow("works", id=id)
    except ChildWorkflowFailed as failure:
        return f"{failure.failure_type}: {failure.error_type}"


@workflow(name="gives-up")
async def gives_up(ctx: WorkflowContext) -> str:
    """Gives its child a second, and hears how it ended."""
    child = ctx.schedule_workflow_async("works")
    await ctx.sleep(1)
    child.cancel("enough")
    try:
        await child
    except ChildWorkflowFailed as failure:
        return f"{failure.failure_type}: {failure.message}"
    return "not reached"


@workflow(name="asks")
async def asks(ctx: WorkflowContext, key: str | None) -> object:
    """S7: a promise that somebody settles within a minute, or nobody."""
    try:
        return await ctx.promise("approval", timeout=60, key=key)
    except PromiseRejected as rejected:
        return f"rejected: {rejected.error_type}"
    except PromiseTimeout:
        return "timed out"


@workflow(name="converses")
async def converses(ctx: WorkflowContext, taken: list[str]) -> list[str]:
    """Takes one word, and goes on as another; the third ends it."""
    word = await ctx.wait_for_signal("word", str)
    if len(taken) < 2:
        await ctx.continue_as_new([*taken, word])
    return [*taken, word]


@workflow(name="hears")
async def hears(ctx: WorkflowContext) -> JsonValue:
    """Waits for a child that continues as others."""
    return await ctx.schedule_workflow("converses", [])


WORKFLOWS: list[WorkflowDefinition[Any, Any]] = [
    works,
    undoes,
    survives,
    shields,
    generation,
    leaves,
    names_its_child,
    gives_up,
    asks,
    converses,
    hears,
]
