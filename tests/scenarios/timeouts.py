"""The workflows of the scenarios about time, and other things, that run out."""

from __future__ import annotations

from flowstrand import RetryPolicy, TaskFailed, TaskTimeout, WorkflowContext, workflow
from flowstrand.errors import ChildWorkflowFailed
from flowstrand.jsonvalue import JsonValue

TWICE = RetryPolicy(max_attempts=2, initial=1.0, jitter=0)
NEVER_AGAIN = RetryPolicy(max_attempts=5, non_retryable=["CardDeclined"])


@workflow(name="has-a-deadline")
async def has_a_deadline(ctx: WorkflowContext) -> str:
    """S14: one task that must end within an hour, and a fallback."""
    try:
        await ctx.schedule("slow", timeout=3_600, retry=TWICE)
    except TaskTimeout as late:
        return f"{late.code}: {late.error_type}"
    return "in time"


@workflow(name="bounds-each-attempt")
async def bounds_each_attempt(ctx: WorkflowContext, option: str) -> str:
    """S14: one task whose attempts may not take long, or may not be silent for long."""
    try:
        if option == "start_to_close":
            await ctx.schedule("slow", retry=TWICE, start_to_close=10)
        else:
            await ctx.schedule("slow", retry=TWICE, heartbeat_timeout=10)
    except TaskTimeout as late:
        return late.error_type
    return "in time"


@workflow(name="declines")
async def declines(ctx: WorkflowContext) -> str:
    """One task whose error is not worth another attempt."""
    try:
        await ctx.schedule("charge", retry=NEVER_AGAIN)
    except TaskFailed as failure:
        return failure.error_type
    return "not reached"


@workflow(name="waits-for-ever")
async def waits_for_ever(ctx: WorkflowContext) -> JsonValue:
    """Waits for a task and a timer, and catches all it can."""
    try:
        await ctx.gather(ctx.schedule("slow"), ctx.sleep(10**6))
    except BaseException:
        return await ctx.schedule("never-asked-for")
    return None


@workflow(name="waits-for-a-slow-child")
async def waits_for_a_slow_child(ctx: WorkflowContext) -> str:
    """Gives a child a minute."""
    try:
        await ctx.schedule_workflow("waits-for-ever", timeout=60)
    except ChildWorkflowFailed as failure:
        return f"{failure.failure_type}: {failure.message}"
    return "not reached"


@workflow(name="runs-out-of-memory")
async def runs_out_of_memory(ctx: WorkflowContext) -> None:
    """Ends its process, as far as code in a test can."""
    await ctx.schedule("slow")
    raise MemoryError


WORKFLOWS = (
    has_a_deadline,
    bounds_each_attempt,
    declines,
    waits_for_ever,
    waits_for_a_slow_child,
    runs_out_of_memory,
)
