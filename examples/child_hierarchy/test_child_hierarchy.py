"""Roll-outs: success, a sick host, a cancellation that reaches the grandchildren, and the child that outlives them all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examples.child_hierarchy.app import Host, Release, app, check_health, report, roll_back, roll_out
from flowstrand.errors import WorkflowCancelled
from flowstrand.testing import Environment

RELEASE = Release(version="2.0", regions={"north": ["n1", "n2"], "south": ["s1", "s2"]})


async def test_region_after_region_gets_the_version() -> None:
    async with Environment(app=app) as env:
        began = env.now
        assert await env.start_and_wait(roll_out, RELEASE) == ["n1", "n2", "s1", "s2"]
        assert env.now - began == timedelta(hours=2)


async def test_a_sick_host_stops_the_roll_out_and_its_region_goes_back() -> None:
    restored: list[str] = []
    async with Environment(app=app) as env:
        env.fake(check_health, lambda _ctx, host: Host.model_validate(host).name != "s1")
        env.fake(roll_back, lambda _ctx, host: restored.append(Host.model_validate(host).name))
        assert await env.start_and_wait(roll_out, RELEASE) == ["n1", "n2"]
        await env.advance(timedelta(minutes=1))
    assert "s1" in restored
    assert not {"n1", "n2"} & set(restored)


async def test_a_cancellation_reaches_the_hosts() -> None:
    restored: list[str] = []
    async with Environment(app=app) as env:
        env.fake(roll_back, lambda _ctx, host: restored.append(Host.model_validate(host).name))
        execution = await env.start(roll_out, RELEASE)
        await env.advance(timedelta(minutes=30))
        await execution.cancel("wrong version")
        with pytest.raises(WorkflowCancelled, match="wrong version"):
            await execution.result()
        await env.advance(timedelta(minutes=1))
    assert sorted(restored) == ["n1", "n2"]


async def test_the_watch_outlives_the_roll_out() -> None:
    reported: list[str] = []
    async with Environment(app=app) as env:
        env.fake(report, lambda _ctx, version: reported.append(version))
        await env.start_and_wait(roll_out, RELEASE)
        assert reported == []
        await env.advance(timedelta(days=7))
    assert reported == ["2.0"]
