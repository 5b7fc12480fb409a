"""What the clients' tests follow: something of every family of events, failures, children, and many tokens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from flowstrand import RetryPolicy, TaskContext, TaskFailed, WorkflowContext, task, workflow

_ATTEMPTS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How many words, and how long a pause before each."""

    words: int
    pause_ms: int = 0


@task(name="speak")
async def speak(ctx: TaskContext, speech: Speech) -> str:
    """Emit `w1 ` to `w<words> `, and return them joined."""
    said = [f"w{number} " for number in range(1, speech.words + 1)]
    for word in said:
        await asyncio.sleep(speech.pause_ms / 1_000)
        await ctx.stream_token(word)
    return "".join(said)


@task(name="stumble", retry=RetryPolicy(max_attempts=_ATTEMPTS, initial=0.05))
async def stumble(ctx: TaskContext) -> str:
    """Fail once, in the middle of a line; say it to the end the second time."""
    await ctx.stream_token(f"attempt {ctx.attempt}")
    await ctx.report_progress(0.5)
    if ctx.attempt < _ATTEMPTS:
        await ctx.stream_error("lost the thread")
        raise RuntimeError("lost the thread")
    await ctx.stream_token(",\r\nand more ✓\nof it")
    await ctx.stream_data({"attempt": ctx.attempt})
    return "said"


@task(name="break", retry=RetryPolicy(max_attempts=1))
async def break_(_ctx: TaskContext) -> None:
    """Fail for good."""
    raise ValueError("broken")


@workflow(name="talk")
async def talk(ctx: WorkflowContext, speech: Speech) -> str:
    """One task, many tokens."""
    return await ctx.schedule(speak, speech)


@workflow(name="caught")
async def caught(ctx: WorkflowContext) -> str:
    """Catch what a task fails with."""
    try:
        await ctx.schedule(break_)
    except TaskFailed:
        return "caught"
    return "nothing to catch"


@workflow(name="failing")
async def failing(ctx: WorkflowContext) -> None:
    """Fail with the task."""
    await ctx.schedule(break_)


@workflow(name="gated")
async def gated(ctx: WorkflowContext) -> str:
    """Wait for the signal `go`; return its value."""
    value: str = await ctx.wait_for_signal("go")
    return value


@workflow(name="child")
async def child(ctx: WorkflowContext, words: int) -> str:
    """A task of its own."""
    return await ctx.schedule(speak, Speech(words=words))


@workflow(name="family")
async def family(ctx: WorkflowContext, children: int) -> list[str]:
    """Children, all at once."""
    return list(await ctx.gather(*(ctx.schedule_workflow(child, number + 1) for number in range(children))))


@workflow(name="medley")
async def medley(ctx: WorkflowContext) -> str:
    """Something of every family: state, operation, timer, promise, tasks, child, signal."""
    ctx.set("step", {"name": "begun"})
    ctx.set("gone", 1)
    await ctx.run("add", lambda: 1 + 1)
    ctx.clear("gone")
    await ctx.sleep(0.01)
    spoken = await ctx.schedule(stumble)
    await ctx.schedule_workflow(child, 1)
    ctx.promise("unanswered")
    value: str = await ctx.wait_for_signal("go")
    ctx.set("step", {"name": "done"})
    return f"{spoken} {value}"
