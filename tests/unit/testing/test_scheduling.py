"""Schedules in the test kit: their runs start as virtual time passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flowstrand import WorkflowContext, workflow
from flowstrand.errors import Conflict, InvalidInput, NotFound
from flowstrand.testing import Environment
from flowstrand.testing.stage import ReplayMode


@workflow(name="report")
async def report(ctx: WorkflowContext, hours: int) -> int:
    await ctx.sleep(timedelta(hours=hours))
    return hours


@pytest.mark.parametrize("mode", ["cold", "warm", "both"])
async def test_runs_start_as_time_passes_and_their_executions_can_be_looked_at(mode: ReplayMode) -> None:
    async with Environment(workflows=[report], replay=mode) as env:
        await env.schedule("s", report, 3, cron="0 * * * *", overlap_policy="BUFFER_ONE")
        await env.advance(timedelta(hours=4))
        first, second = (run for run in await env.schedule_runs("s") if run.outcome == "STARTED")
        assert [first.scheduled_at, second.scheduled_at] == [
            "2026-01-01T01:00:00.000Z",
            "2026-01-01T02:00:00.000Z",
        ]
        assert first.execution_id is not None
        assert await env.handle(first.execution_id).result() == 3


async def test_one_moment_is_one_run() -> None:
    async with Environment(workflows=[report]) as env:
        await env.schedule("once", "report", 0, at=datetime(2026, 3, 1, tzinfo=UTC))
        await env.advance(timedelta(days=365))
        assert [run.outcome for run in await env.schedule_runs("once")] == ["STARTED"]


async def test_what_cannot_be_scheduled_is_refused() -> None:
    async with Environment(workflows=[report]) as env:
        with pytest.raises(InvalidInput):
            await env.schedule("s", report, 1, cron="61 * * * *")
        with pytest.raises(NotFound):
            await env.schedule("s", "unknown", cron="0 * * * *")
        await env.schedule("s", report, 1, cron="0 * * * *")
        with pytest.raises(Conflict):
            await env.schedule("s", report, 1, cron="0 * * * *")
        with pytest.raises(NotFound):
            await env.schedule_runs("t")
