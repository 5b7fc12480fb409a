"""A parent and its child: two executions, two logs; the child's end precedes what the parent hears of it."""

from __future__ import annotations

from flowstrand import TaskContext, WorkflowContext, task, workflow


@task(name="greet")
async def greet(_ctx: TaskContext, name: str) -> str:
    """Greet someone."""
    return f"Hello, {name}!"


@workflow(name="parent-child/child")
async def child(ctx: WorkflowContext, name: str = "world") -> str:
    """Have one task done."""
    return await ctx.schedule(greet, name)


@workflow(name="parent-child")
async def parent(ctx: WorkflowContext, name: str = "world") -> dict[str, str]:
    """Wait for the child, and hand on what it says."""
    greeting = await ctx.schedule_workflow(child, name)
    return {"child": greeting}
