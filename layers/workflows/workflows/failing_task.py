"""A task that fails for good, and a workflow that catches it: the failure precedes the end in every view of the log."""

from __future__ import annotations

from pydantic import BaseModel

from flowstrand import RetryPolicy, TaskContext, TaskFailed, WorkflowContext, task, workflow


class Caught(BaseModel):
    """What the workflow learned of the failure."""

    caught: str
    message: str


@task(name="always-fails", retry=RetryPolicy(max_attempts=1))
async def always_fails(_ctx: TaskContext, reason: str = "nothing works today") -> None:
    """Raise."""
    raise ValueError(reason)


@workflow(name="failing-task")
async def catch_failure(ctx: WorkflowContext) -> Caught | None:
    """Complete although the task did not."""
    try:
        await ctx.schedule(always_fails, "the card was declined")
    except TaskFailed as failure:
        return Caught(caught=failure.error_type, message=failure.message)
    return None
