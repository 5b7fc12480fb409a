"""What is fuzzed: workflows that wait for each thing that the API can bring them, and some that end at once."""

from __future__ import annotations

from typing import Any

from flowstrand import App, TaskContext, WorkflowContext, task, workflow


@task(name="work")
async def work(ctx: TaskContext, input: Any) -> Any:
    """Done by whoever claims it over the API."""
    return input


@workflow(name="waits-for-a-task")
async def waits_for_a_task(ctx: WorkflowContext, input: Any) -> Any:
    ctx.set("seen", input)
    return await ctx.schedule(work, input)


@workflow(name="waits-for-a-promise")
async def waits_for_a_promise(ctx: WorkflowContext, input: Any) -> Any:
    return await ctx.promise("approval")


@workflow(name="waits-for-a-signal")
async def waits_for_a_signal(ctx: WorkflowContext, input: Any) -> Any:
    return await ctx.wait_for_signal("go")


@workflow(name="ends-at-once")
async def ends_at_once(ctx: WorkflowContext, input: Any) -> Any:
    return input


@workflow(name="fails-at-once")
async def fails_at_once(ctx: WorkflowContext, input: Any) -> Any:
    raise ValueError("no luck")


@workflow(name="has-a-child")
async def has_a_child(ctx: WorkflowContext, input: Any) -> Any:
    return await ctx.schedule_workflow(waits_for_a_signal, input)


app = App(
    workflows=[
        waits_for_a_task,
        waits_for_a_promise,
        waits_for_a_signal,
        ends_at_once,
        fails_at_once,
        has_a_child,
    ],
    tasks=[work],
)
