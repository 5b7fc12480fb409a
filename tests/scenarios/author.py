"""Workflows that do one thing each of what authors can. Their tasks run nowhere: the tests play the workers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flowstrand import App, RetryPolicy, WorkflowContext, workflow
from flowstrand.errors import (
    AuthorError,
    ChildWorkflowFailed,
    MapFailed,
    OperationFailed,
    PromiseRejected,
    PromiseTimeout,
    TaskCancelled,
    TaskFailed,
    TimedOut,
    TimerCancelled,
    WorkflowCancelled,
)
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.mapping import MapOutcome

ONCE = RetryPolicy(max_attempts=1)
HOUR = timedelta(hours=1)

KINDS = (
    "a", "b", "c", "d", "think", "clean", "help", "flight", "hotel", "car", "cancel-flight", "cancel-hotel", "report", "pay", "ship",
)  # fmt: skip
"""Of the tasks."""


def task(ctx: WorkflowContext, kind: str) -> Any:
    """Ask for a task that is tried once."""
    return ctx.schedule(kind, retry=ONCE)


# --- timers ---------------------------------------------------------------------------------------


@workflow(name="sleeps")
async def sleeps(ctx: WorkflowContext) -> float:
    began = ctx.current_time()
    await ctx.sleep(60)
    await ctx.sleep_until(began + HOUR)
    return (ctx.current_time() - began).total_seconds()


@workflow(name="cancels-a-timer")
async def cancels_a_timer(ctx: WorkflowContext) -> str:
    timer = ctx.sleep(60)
    await task(ctx, "a")
    timer.cancel()
    try:
        await timer
    except TimerCancelled:
        return "cancelled"
    return "fired"


@workflow(name="leaves-a-timer")
async def leaves_a_timer(ctx: WorkflowContext) -> str:
    ctx.sleep(60)
    await task(ctx, "a")
    return "ended"


# --- promises and signals ---------------------------------------------------------------------------


@workflow(name="asks-for-approval")
async def asks_for_approval(ctx: WorkflowContext) -> str:
    try:
        return str(await ctx.promise("ok", timeout=HOUR))
    except PromiseRejected as rejected:
        return f"rejected: {rejected.error_type}"
    except PromiseTimeout:
        return "timed out"


@workflow(name="hears-in-time")
async def hears_in_time(ctx: WorkflowContext) -> str:
    try:
        return f"heard {await ctx.wait_for_signal('go', timeout=60)}"
    except TimedOut:
        return "heard nothing"


@workflow(name="counts-signals")
async def counts_signals(ctx: WorkflowContext) -> list[JsonValue]:
    await task(ctx, "a")
    return [ctx.pending_signal_count("go"), await ctx.wait_for_signal("go"), ctx.drain_signals("go")]


@workflow(name="converses")
async def converses(ctx: WorkflowContext) -> list[JsonValue]:
    """S9: an agent that works on, and looks between any two steps whether it is steered."""
    said: list[JsonValue] = []
    for _ in range(2):
        said.append(await ctx.wait_for_signal("prompt"))
        while True:
            said.append(await task(ctx, "think"))
            if ctx.has_signal("steer"):
                said.append(await ctx.wait_for_signal("steer"))
                continue
            break
    return said


# --- several at once --------------------------------------------------------------------------------


@workflow(name="gathers")
async def gathers(ctx: WorkflowContext) -> JsonValue:
    try:
        return list(await ctx.gather(task(ctx, "a"), task(ctx, "b")))
    except TaskFailed as failed:
        return failed.kind


@workflow(name="gathers-settled")
async def gathers_settled(ctx: WorkflowContext) -> JsonValue:
    outcomes = await ctx.gather(task(ctx, "a"), task(ctx, "b"), return_exceptions=True)
    return [type(one).__name__ if isinstance(one, BaseException) else one for one in outcomes]


@workflow(name="gathers-branches")
async def gathers_branches(ctx: WorkflowContext) -> JsonValue:
    async def steps(first: str, second: str) -> list[JsonValue]:
        return [await task(ctx, first), await task(ctx, second)]

    return list(await ctx.gather(steps("a", "b"), steps("c", "d")))


@workflow(name="selects")
async def selects(ctx: WorkflowContext) -> JsonValue:
    handles = [task(ctx, "a"), ctx.wait_for_signal("go"), ctx.sleep(60)]
    return handles.index(await ctx.select(*handles))


@workflow(name="takes-as-completed")
async def takes_as_completed(ctx: WorkflowContext) -> JsonValue:
    return [await handle async for handle in ctx.as_completed(task(ctx, "a"), task(ctx, "b"), task(ctx, "c"))]


@workflow(name="bounds-a-task")
async def bounds_a_task(ctx: WorkflowContext) -> JsonValue:
    handle = task(ctx, "a")
    try:
        return f"in time: {await ctx.with_timeout(handle, 60)}"
    except TimedOut:
        pass
    try:
        return f"late: {await handle}"
    except TaskCancelled:
        return "given up"


@workflow(name="bounds-a-branch")
async def bounds_a_branch(ctx: WorkflowContext) -> JsonValue:
    async def steps() -> None:
        try:
            await task(ctx, "a")
        finally:
            await task(ctx, "clean")

    try:
        await ctx.with_timeout(steps(), 60)
    except TimedOut:
        return "timed out"
    return "in time"


@workflow(name="maps")
async def maps(ctx: WorkflowContext, policy: dict[str, int]) -> JsonValue:
    async def one(kind: str) -> JsonValue:
        return str(await task(ctx, kind))

    try:
        outcome: Any = await ctx.map("abc", one, **policy)
    except MapFailed as failed:
        outcome = failed.outcome
    assert isinstance(outcome, MapOutcome)
    return {"values": outcome.values, "failed": list(outcome.failures), "skipped": list(outcome.skipped)}


# --- side effects and state -------------------------------------------------------------------------

runs: list[str] = []
"""What the functions of `runs-functions` did, in all processes."""


@workflow(name="runs-functions")
async def runs_functions(ctx: WorkflowContext) -> JsonValue:
    def flaky() -> str:
        runs.append("flaky")
        if runs.count("flaky") < 3:
            raise ConnectionError("not yet")
        return "known"

    def broken() -> None:
        raise LookupError("nowhere")

    known = await ctx.run("flaky", flaky, retry=RetryPolicy(max_attempts=3, initial=60, jitter=0))
    try:
        await ctx.run("broken", broken)
    except OperationFailed as failed:
        return [known, failed.error_type]
    return "not reached"


@workflow(name="keeps-state")
async def keeps_state(ctx: WorkflowContext) -> JsonValue:
    ctx.set("step", 1)
    ctx.set("note", {"a": [1]})
    await task(ctx, "a")
    ctx.set("step", ctx.get("step", int, 0) + 1)
    ctx.clear("note")
    ctx.clear("note")
    return [ctx.get("step"), ctx.get("note"), ctx.state_keys()]


# --- children ---------------------------------------------------------------------------------------


@workflow(name="helper")
async def helper(ctx: WorkflowContext) -> JsonValue:
    return str(await task(ctx, "help"))


@workflow(name="asks-a-child")
async def asks_a_child(ctx: WorkflowContext) -> JsonValue:
    return await ctx.schedule_workflow(helper)


@workflow(name="cancels-a-child")
async def cancels_a_child(ctx: WorkflowContext) -> JsonValue:
    child = ctx.schedule_workflow(helper)
    await task(ctx, "a")
    child.cancel("not needed")
    try:
        return await child
    except ChildWorkflowFailed as failed:
        return failed.failure_type


# --- ending -----------------------------------------------------------------------------------------


@workflow(name="books")
async def books(ctx: WorkflowContext) -> None:
    """A saga."""
    await task(ctx, "flight")
    ctx.compensate(task, ctx, "cancel-flight")
    await task(ctx, "hotel")
    ctx.compensate(task, ctx, "cancel-hotel")
    ctx.on_close(task, ctx, "report")
    await task(ctx, "car")


@workflow(name="shields")
async def shields(ctx: WorkflowContext) -> None:
    await ctx.shield(task(ctx, "pay"))
    await task(ctx, "ship")


@workflow(name="cleans-up")
async def cleans_up(ctx: WorkflowContext) -> None:
    try:
        await task(ctx, "a")
    except WorkflowCancelled:
        await ctx.shield(task(ctx, "clean"))
        raise


@workflow(name="looks-up")
async def looks_up(ctx: WorkflowContext, how: str) -> str:
    for number in range(3):
        await ctx.shield(task(ctx, "a"))
        if how == "raise":
            ctx.check_cancellation()
        elif ctx.is_cancellation_requested:
            return f"stopped after {number}"
    return "done"


@workflow(name="goes-on")
async def goes_on(ctx: WorkflowContext, left: int) -> int:
    await task(ctx, "a")
    if left:
        await ctx.continue_as_new(left - 1)
    return left


# --- what replays alike -------------------------------------------------------------------------------


@workflow(name="draws")
async def draws(ctx: WorkflowContext) -> JsonValue:
    """S20: the same before and after every wait, in every process."""
    drawn: list[JsonValue] = []
    for _ in range(3):
        drawn += [str(ctx.random_uuid()), ctx.random.random(), ctx.current_time().isoformat()]
        await task(ctx, "a")
    return drawn


@workflow(name="swallows-everything")
async def swallows_everything(ctx: WorkflowContext) -> JsonValue:
    try:
        await task(ctx, "a")
    except AuthorError:
        return "early"
    finally:
        await task(ctx, "b")
    return "late"


# fmt: off
WORKFLOWS: list[Any] = [
    sleeps, cancels_a_timer, leaves_a_timer, asks_for_approval, hears_in_time, counts_signals, converses, gathers,
    gathers_settled, gathers_branches, selects, takes_as_completed, bounds_a_task, bounds_a_branch, maps,
    runs_functions, keeps_state, helper, asks_a_child, cancels_a_child, books, shields, cleans_up, looks_up, goes_on,
    draws, swallows_everything,
]
# fmt: on

AUTHOR = App(workflows=WORKFLOWS)
