"""A batch: the same work on many items, a few at a time, with a limit on how many may fail."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field

from flowstrand import App, NonRetryableError, RetryPolicy, TaskContext, WorkflowContext, task, workflow


class Batch(BaseModel):
    """Pictures to make small.

    Attributes:
        at_once: how many are under way at a time.
        may_fail: how many may fail before the batch does.
    """

    pictures: list[str]
    at_once: int = Field(default=4, ge=1)
    may_fail: int = Field(default=2, ge=0)


class Report(BaseModel):
    """What came of a batch."""

    thumbnails: list[str]
    failed: dict[str, str]


class Unreadable(NonRetryableError):
    """No picture."""


@task(name="shrink", retry=RetryPolicy(max_attempts=3), start_to_close=timedelta(minutes=1))
async def shrink(ctx: TaskContext, picture: str) -> str:
    """Make one picture small."""
    if not picture.endswith(".png"):
        raise Unreadable(f"{picture} is no picture")
    return picture.replace(".png", "-small.png")


@workflow(name="thumbnails")
async def make_thumbnails(ctx: WorkflowContext, batch: Batch) -> Report:
    """Make all pictures small, and say which could not be."""
    outcome = await ctx.map(
        batch.pictures, shrink, max_concurrency=batch.at_once, tolerated_failures=batch.may_fail
    )
    failed = {batch.pictures[index]: str(failure) for index, failure in outcome.failures.items()}
    return Report(thumbnails=outcome.values, failed=failed)


app = App(workflows=[make_thumbnails], tasks=[shrink])
