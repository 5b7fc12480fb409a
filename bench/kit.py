"""The test kit: what a workflow's test costs, from making the environment to its end."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from bench.measuring import Target, measure, report
from flowstrand import RetryPolicy, TaskContext, WorkflowContext, task, workflow
from flowstrand.testing import Environment

A_TENTH_MS = 100.0


@task(retry=RetryPolicy(max_attempts=4))
async def charge(ctx: TaskContext, cents: int) -> int:
    """Succeeds at the fourth attempt."""
    if ctx.attempt < ctx.max_attempts:
        raise ConnectionError("no route")
    return cents


@workflow
async def send(ctx: WorkflowContext, cents: int) -> str:
    """A child."""
    return f"{ctx.kind}: parcel worth {cents}"


@workflow
async def monthly(ctx: WorkflowContext, cents: int) -> str:
    """A sleep of thirty days, three retries and a child."""
    await ctx.sleep(timedelta(days=30))
    return await ctx.schedule_workflow(send, await ctx.schedule(charge, cents))


@workflow
async def greeting(ctx: WorkflowContext) -> str:
    """Nothing to wait for."""
    return f"hello, {ctx.kind}"


async def _month() -> None:
    async with Environment(workflows=[monthly, send], tasks=[charge]) as env:
        assert await env.start_and_wait(monthly, 1) == "send: parcel worth 1"


async def _greeting() -> None:
    async with Environment(workflows=[greeting]) as env:
        assert await env.start_and_wait(greeting) == "hello, greeting"


def main() -> int:
    """Measure and report."""
    month = measure("30 days, 3 retries, a child", lambda: asyncio.run(_month()), rounds=31, warm_up=3)
    plain = measure("a workflow that returns", lambda: asyncio.run(_greeting()), rounds=31, warm_up=3)
    target = Target(what="30 days, median", value=month.median_ms, limit=A_TENTH_MS, unit=" ms")
    return report([month, plain], [target])


if __name__ == "__main__":
    sys.exit(main())
