"""An app for a real server: steps that take a moment, so that there is a middle to kill it in."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flowstrand import RetryPolicy, TaskContext, WorkflowContext, task, workflow

STEPS = 12


@task(name="step", retry=RetryPolicy(max_attempts=5))
async def step(_ctx: TaskContext, number: int) -> int:
    """Take a moment."""
    await asyncio.sleep(0.05)
    return number


@task(name="long-step")
async def long_step(_ctx: TaskContext) -> int:
    """Take long enough to be met at it, and less than a server gives those who are at something."""
    await asyncio.sleep(0.7)
    return 1


@workflow(name="long")
async def long(ctx: WorkflowContext) -> int:
    """One long step."""
    return await ctx.schedule(long_step)


@workflow(name="steps")
async def steps(ctx: WorkflowContext, count: int = STEPS) -> int:
    """One step after the other, with a pause halfway; the sum of their results."""
    total = 0
    for number in range(count):
        total += await ctx.schedule(step, number)
        if number == count // 2:
            await ctx.sleep(0.2)
    return total


@workflow(name="patient")
async def patient(ctx: WorkflowContext) -> None:
    """Wait for longer than any test."""
    await ctx.sleep(3_600)


@workflow(name="early")
async def early(ctx: WorkflowContext) -> str:
    """Return early at whatever a wait may raise, which it must not."""
    cleaned = []
    try:
        await ctx.schedule(step, 1)
    except BaseException:
        return "early"
    finally:
        cleaned.append("up")
    return f"in time, cleaned {len(cleaned)} time"


@task(name="break", retry=RetryPolicy(max_attempts=1))
def break_(_ctx: TaskContext, file: str) -> str:
    """Fail for as long as there is no such file."""
    return Path(file).read_text(encoding="utf-8")


@workflow(name="fragile")
async def fragile(ctx: WorkflowContext, file: str) -> str:
    """What the file says, once there is one."""
    return await ctx.schedule(break_, file)


@workflow(name="crew")
async def crew(ctx: WorkflowContext, count: int) -> int:
    """Several `steps` at once, as children."""
    return sum(await ctx.gather(*(ctx.schedule_workflow(steps, STEPS) for _ in range(count))))
