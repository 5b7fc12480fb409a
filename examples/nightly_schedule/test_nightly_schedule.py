"""Nights: at the hour on the wall, one after another, each with a log of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from examples.nightly_schedule.app import Nightly, app, close_books, every_night, next_run
from flowstrand.errors import WorkflowCancelled
from flowstrand.testing import Environment


async def test_it_runs_every_night_at_two() -> None:
    ran: list[datetime] = []
    async with Environment(app=app, start_at=datetime(2026, 1, 1, 12, tzinfo=UTC)) as env:
        env.fake(close_books, lambda: ran.append(env.now))
        await env.start(every_night, Nightly())
        await env.advance(timedelta(days=3))
    assert ran == [datetime(2026, 1, day, 1, tzinfo=UTC) for day in (2, 3, 4)]


async def test_every_night_has_a_log_of_its_own() -> None:
    async with Environment(app=app) as env:
        first = await env.start(every_night, Nightly())
        await env.advance(timedelta(days=3))
        assert len(env.executions()) == 4
        assert (await first.events())[-1].data["continuedAs"] == env.executions()[1]


async def test_a_night_that_fails_does_not_end_the_rest() -> None:
    async with Environment(app=app) as env:
        env.fail_next(close_books, RuntimeError("locked"), times=4)
        await env.start(every_night, Nightly())
        await env.advance(timedelta(days=2))
        started, *_ = await env.events(env.executions()[-1])
        assert Nightly.model_validate(started.data["input"]) == Nightly(nights=2, failures=1)


async def test_it_ends_when_it_is_cancelled() -> None:
    async with Environment(app=app) as env:
        execution = await env.start(every_night, Nightly())
        await execution.cancel("no longer needed")
        with pytest.raises(WorkflowCancelled, match="no longer needed"):
            await execution.result()
        assert execution.status == "CANCELLED"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 2, 0, tzinfo=UTC)),
        (datetime(2026, 12, 1, 0, tzinfo=UTC), datetime(2026, 12, 1, 1, tzinfo=UTC)),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (datetime(2026, 10, 25, 12, tzinfo=UTC), datetime(2026, 10, 26, 1, tzinfo=UTC)),
    ],
)
def test_two_o_clock_is_what_the_clock_on_the_wall_shows(now: datetime, expected: datetime) -> None:
    assert next_run(now, Nightly()).astimezone(UTC) == expected
