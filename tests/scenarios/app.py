"""The workflows of the scenarios. Their tasks run nowhere: the tests play the workers."""

from __future__ import annotations

from flowstrand import App, RetryPolicy, TaskFailed, WorkflowContext, workflow
from flowstrand.errors import ChildWorkflowFailed, PromiseRejected
from flowstrand.jsonvalue import JsonObject, JsonValue
from tests.scenarios import endings, retried, timeouts

ONCE = RetryPolicy(max_attempts=1)
THRICE = RetryPolicy(max_attempts=3, initial=1.0)


@workflow(name="catches")
async def catches(ctx: WorkflowContext, _given: JsonValue = None) -> str:
    """S1: a failing task that the workflow catches."""
    try:
        await ctx.schedule("fails", retry=ONCE)
    except TaskFailed as failure:
        return f"caught {failure.error_type}"
    return "not reached"


seen: list[str] = []
"""What the handlers of `swallows` ran, and when. A coroutine dropped from memory runs them too, and records nothing."""


@workflow(name="swallows")
async def swallows(ctx: WorkflowContext) -> str:
    """S1b: everything is caught, and the handlers use the context."""
    try:
        await ctx.schedule("fails", retry=ONCE)
    except BaseException as failure:
        seen.append(f"except {type(failure).__name__} at {ctx.current_time().timestamp():.0f}")
        return "early"
    finally:
        seen.append("finally")
    return "not reached"


@workflow(name="swallows-and-asks")
async def swallows_and_asks(ctx: WorkflowContext) -> JsonValue:
    """S1b: as above, and the handlers ask for more."""
    kept: JsonValue = "not reached"
    try:
        await ctx.schedule("fails", retry=ONCE)
    except BaseException:
        kept = await ctx.schedule("from-except", retry=ONCE)
    finally:
        await ctx.schedule("from-finally", retry=ONCE)
    return kept


@workflow(name="retries")
async def retries(ctx: WorkflowContext) -> str:
    """S1c: two failures are retried, the third is permanent."""
    try:
        await ctx.schedule("fails", retry=THRICE)
    except TaskFailed:
        return "caught"
    return "not reached"


@workflow(name="parent")
async def parent(ctx: WorkflowContext) -> JsonValue:
    """S2: a parent and its child."""
    return await ctx.schedule_workflow("child", {"from": "parent"})


@workflow(name="waits-for-two")
async def waits_for_two(ctx: WorkflowContext) -> None:
    """A child, and then a signal."""
    await ctx.schedule_workflow("child", {})
    await ctx.wait_for_signal("go")


@workflow(name="child")
async def child(ctx: WorkflowContext, given: JsonObject) -> JsonObject:
    """The child of S2."""
    return {"given": given, "did": await ctx.schedule("work", retry=ONCE)}


@workflow(name="catching-parent")
async def catching_parent(ctx: WorkflowContext) -> str:
    """S2b: the child fails and the parent catches it."""
    try:
        await ctx.schedule_workflow("failing-child")
    except ChildWorkflowFailed as failure:
        return f"{failure.failure_type}: {failure.error_type}: {failure.message}"
    return "not reached"


@workflow(name="failing-child")
async def failing_child(ctx: WorkflowContext) -> None:
    """The child of S2b."""
    await ctx.sleep(0)
    raise ValueError("no luck")


@workflow(name="level")
async def level(ctx: WorkflowContext, depth: int) -> int:
    """S2c: levels below levels."""
    if depth == 1:
        return 1
    below = await ctx.schedule_workflow("level", depth - 1)
    assert isinstance(below, int)
    return below + 1


@workflow(name="two-awaits")
async def two_awaits(ctx: WorkflowContext) -> list[JsonValue]:
    """S4: a is scheduled first, b is awaited first."""
    a = ctx.schedule_async("a", retry=ONCE)
    b = ctx.schedule_async("b", retry=ONCE)
    return [await b, await a]


@workflow(name="race")
async def race(ctx: WorkflowContext) -> str:
    """S5: the winner is the earliest in the log."""
    a = ctx.schedule_async("a", retry=ONCE)
    b = ctx.schedule_async("b", retry=ONCE)
    winner = await ctx.select(a, b)
    return "b" if winner is b else "a"


@workflow(name="fan-out")
async def fan_out(ctx: WorkflowContext, count: int) -> list[JsonValue]:
    """S3: many tasks at once."""
    return list(await ctx.gather(*(ctx.schedule("work", n, retry=ONCE) for n in range(count))))


@workflow(name="conversation")
async def conversation(ctx: WorkflowContext) -> list[str]:
    """Everything that is said until the end."""
    said: list[str] = []
    while (heard := await ctx.wait_for_signal("say", str)) != "end":
        said.append(heard)
    return said


@workflow(name="approval")
async def approval(ctx: WorkflowContext, key: str) -> str:
    """S7: what somebody outside decides."""
    try:
        return await ctx.promise("approval", str, key=key)
    except PromiseRejected as rejected:
        return f"rejected: {rejected.error_type}: {rejected.message}"


APP = App(
    workflows=[
        catches,
        swallows,
        swallows_and_asks,
        retries,
        parent,
        waits_for_two,
        child,
        catching_parent,
        failing_child,
        level,
        two_awaits,
        race,
        fan_out,
        conversation,
        approval,
        *timeouts.WORKFLOWS,
        *endings.WORKFLOWS,
        *retried.WORKFLOWS,
    ]
)
