"""Batches: results in order, a limit on what runs at once, and on what may fail."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examples.batch_map.app import Batch, Report, app, make_thumbnails, shrink
from flowstrand.errors import WorkflowFailed
from flowstrand.testing import Environment

PICTURES = [f"{number}.png" for number in range(10)]


async def test_results_are_in_the_order_of_the_items() -> None:
    async with Environment(app=app) as env:
        report = await env.start_and_wait(make_thumbnails, Batch(pictures=PICTURES))
        assert report == Report(thumbnails=[f"{number}-small.png" for number in range(10)], failed={})


async def test_a_few_failures_are_reported() -> None:
    async with Environment(app=app) as env:
        batch = Batch(pictures=["a.png", "notes.txt", "b.png"])
        report = await env.start_and_wait(make_thumbnails, batch)
        assert report.thumbnails == ["a-small.png", "b-small.png"]
        assert list(report.failed) == ["notes.txt"]


async def test_too_many_failures_fail_the_batch() -> None:
    async with Environment(app=app) as env:
        batch = Batch(pictures=["a.txt", "b.txt", "c.png"], may_fail=1)
        with pytest.raises(WorkflowFailed, match="2 of 3 items failed"):
            await env.start_and_wait(make_thumbnails, batch)


async def test_no_more_than_four_are_under_way_at_once() -> None:
    running = 0
    most = 0

    async def slow(_ctx: object, picture: str) -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await env.sleep(timedelta(seconds=10))
        running -= 1
        return picture

    async with Environment(app=app) as env:
        env.fake(shrink, slow)
        report = await env.start_and_wait(make_thumbnails, Batch(pictures=PICTURES))
        assert report.thumbnails == PICTURES
        assert most == 4
