"""A job for every night: wait until two o'clock, do it, and continue as a new execution with an empty log."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from flowstrand import App, TaskContext, TaskFailed, WorkflowContext, task, workflow


class Nightly(BaseModel):
    """When to run, and what was done so far."""

    at: time = time(hour=2)
    zone: str = "Europe/Berlin"
    nights: int = 0
    failures: int = 0


def next_run(now: datetime, nightly: Nightly) -> datetime:
    """The next moment when the clock on the wall there shows `at`, whatever daylight saving time does."""
    local = now.astimezone(ZoneInfo(nightly.zone))
    today = datetime.combine(local.date(), nightly.at, tzinfo=local.tzinfo)
    return today if today > local else today + timedelta(days=1)


@task(name="close-books", timeout=timedelta(hours=4))
async def close_books(ctx: TaskContext, night: int) -> None:
    """The night's work."""


@workflow(name="nightly")
async def every_night(ctx: WorkflowContext, nightly: Nightly) -> None:
    """One night, then the next: without end, until it is cancelled. A night that fails does not end the rest."""
    await ctx.sleep_until(next_run(ctx.current_time(), nightly))
    try:
        await ctx.schedule(close_books, nightly.nights + 1)
    except TaskFailed as failed:
        ctx.logger.warning("night %d failed: %s", nightly.nights + 1, failed)
        nightly.failures += 1
    nightly.nights += 1
    await ctx.continue_as_new(nightly)


app = App(workflows=[every_night], tasks=[close_books])
