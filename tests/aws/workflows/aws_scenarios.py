"""The app of the stack under test, deployed as its workflows layer: workflows that fail, wait and take their time on purpose."""

from __future__ import annotations

import asyncio

from flowstrand import RetryPolicy, TaskContext, TaskFailed, WorkflowContext, task, workflow

ONCE = RetryPolicy(max_attempts=1)
AT_ONCE = RetryPolicy(max_attempts=3, initial=0.1)
BY_WORKERS = "by-workers"
"""A queue that the stack does not serve itself."""


@task(name="fails", retry=ONCE)
async def fails(_ctx: TaskContext) -> None:
    """Fail for good."""
    raise ValueError("nothing works today")


@task(name="fails-thrice", retry=AT_ONCE)
async def fails_thrice(ctx: TaskContext) -> None:
    """Fail at every attempt there is."""
    raise ValueError(f"attempt {ctx.attempt}")


@task(name="add-one", retry=AT_ONCE)
async def add_one(_ctx: TaskContext, number: int) -> int:
    """One step of a chain."""
    return number + 1


@task(name="linger", retry=AT_ONCE, queue=BY_WORKERS, heartbeat_timeout=10.0)
async def linger(ctx: TaskContext) -> int:
    """The first attempt never ends, so that its worker can be killed in its middle; the next is done at once."""
    if ctx.attempt == 1:
        await ctx.heartbeat()
        await asyncio.sleep(3_600)
    return ctx.attempt


@workflow(name="catches")
async def catches(ctx: WorkflowContext) -> str:
    """S1: a failing task that the workflow catches."""
    try:
        await ctx.schedule(fails)
    except TaskFailed as failure:
        return f"caught {failure.error_type}"
    return "not reached"


@workflow(name="swallows")
async def swallows(ctx: WorkflowContext) -> str:
    """S1b: everything is caught, and the handlers use the context."""
    moments = []
    try:
        await ctx.schedule(fails)
    except BaseException:
        moments.append(ctx.current_time())
        return "early"
    finally:
        moments.append(ctx.current_time())
    return "not reached"


@workflow(name="retries")
async def retries(ctx: WorkflowContext) -> str:
    """S1c: two failures are retried, the third is permanent."""
    try:
        await ctx.schedule(fails_thrice)
    except TaskFailed as failure:
        return failure.message
    return "not reached"


@workflow(name="parent")
async def parent(ctx: WorkflowContext) -> dict[str, int]:
    """S2: a parent and its child."""
    return {"child": await ctx.schedule_workflow(child)}


@workflow(name="child")
async def child(ctx: WorkflowContext) -> int:
    """The child of S2."""
    return await ctx.schedule(add_one, 1)


@workflow(name="conversation")
async def conversation(ctx: WorkflowContext) -> list[int]:
    """S8: every signal until minus one."""
    heard = []
    while (number := await ctx.wait_for_signal("say", int)) != -1:
        heard.append(number)
    return heard


@workflow(name="lingers")
async def lingers(ctx: WorkflowContext) -> int:
    """S10: the attempt that did it."""
    return await ctx.schedule(linger)


@workflow(name="once")
async def once(ctx: WorkflowContext) -> str:
    """S12: nothing but an end."""
    await ctx.sleep(0)
    return "done"


@workflow(name="chain")
async def chain(ctx: WorkflowContext, length: int = 40) -> int:
    """One task after the other."""
    number = 0
    for _ in range(length):
        number = await ctx.schedule(add_one, number)
    return number
