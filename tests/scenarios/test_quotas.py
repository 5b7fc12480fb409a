"""Quotas: over one, a request is 429 with `Retry-After` and nothing is created; within one, and in other orgs, nobody notices."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.engine.ids import OrgId
from flowstrand.jsonvalue import JsonObject
from flowstrand.service import executions, open_executions, org_settings
from flowstrand.service.executions import StartRequest
from flowstrand.service.org_settings import OrgSettings
from tests.scenarios.world import ORG, Answer, World

START: JsonObject = {"kind": "catches"}


def _limit(world: World, **limits: int) -> None:
    org_settings.write(world.services.directory, ORG, OrgSettings(**limits))
    world.clock.ms += 30_000


def _start(world: World, **fields: Any) -> Answer:
    return world.request("POST", "/workflow-executions", {**START, **fields})


def _open(world: World) -> int:
    return open_executions.count(world.services.directory, ORG, 1_000)


def _retry_after_s(world: World, answer: Answer) -> int:
    assert (answer.status, answer.body["code"]) == (429, "QUOTA_EXCEEDED")
    return int(answer.headers["Retry-After"])


def test_no_more_executions_are_opened_than_may_be_open(world: World) -> None:
    _limit(world, open_executions=3)
    begun = [world.start("catches") for _ in range(3)]
    refused = [
        _start(world),
        _start(world, idempotencyKey="k"),
        world.request(
            "POST", "/workflow-executions/signal-with-start", {**START, "workflowId": "w", "signalName": "s"}
        ),
    ]
    assert [_retry_after_s(world, answer) for answer in refused] == [5, 5, 5]
    assert _open(world) == 3

    world.request("POST", f"/workflow-executions/{begun[0]}/cancel", {"force": True})
    world.settle()
    world.clock.ms += 5_000
    assert _start(world, idempotencyKey="k").status == 201
    assert _start(world).status == 429


def test_another_orgs_executions_do_not_count(world: World) -> None:
    _limit(world, open_executions=1)
    for name in ("acme-2", "acm", "acme2"):
        executions.start(world.services, OrgId(name), StartRequest(kind="catches", input=None))
    assert _start(world).status == 201
    assert _start(world).status == 429
    executions.start(world.services, OrgId("acme-2"), StartRequest(kind="catches", input=None))


@pytest.mark.parametrize(("per_s", "burst_s"), [(5, 2), (50, 1)])
def test_starts_come_no_faster_than_they_may(world: World, per_s: int, burst_s: int) -> None:
    _limit(world, starts_per_s=per_s, burst_s=burst_s)
    at_once = 0
    while (answer := _start(world)).status == 201:
        at_once += 1
        if at_once > per_s * burst_s:
            break
    assert per_s * burst_s / 2 < at_once <= per_s * burst_s
    assert _retry_after_s(world, answer) == 1
    assert _open(world) == at_once

    later = 0
    for _ in range(40):  # four seconds, in which more is asked for than may be had
        world.clock.ms += 100
        later += sum(_start(world).status == 201 for _ in range(per_s // 5))
    assert per_s * 3 <= later <= per_s * 4 + per_s * burst_s - at_once


def test_signals_have_a_quota_of_their_own(world: World) -> None:
    execution = world.start("catches")
    _limit(world, signals_per_s=2, burst_s=1, starts_per_s=100)
    path = f"/workflow-executions/{execution}/signal"
    answers = [world.request("POST", path, {"signalName": "s"}) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    assert world.get(execution)["currentSequence"] == 3
    world.clock.ms += 500
    assert world.request("POST", path, {"signalName": "s"}).status == 200
    assert _start(world).status == 201


def test_runs_of_schedules_are_refused_to_nobody(world: World) -> None:
    _limit(world, open_executions=1, starts_per_s=1, burst_s=1)
    assert _start(world).status == 201
    body: JsonObject = {**START, "scheduleId": "s", "cron": "* * * * *"}
    assert world.request("POST", "/schedules", body).status == 201
    world.jump(61)
    assert [run["outcome"] for run in world.request("GET", "/schedules/s/runs").body["runs"]] == ["STARTED"]
    trigger = world.request("POST", "/schedules/s/trigger", {"requestId": "r"})
    assert trigger.status == 429
    assert _open(world) == 2


def test_the_stacks_settings_hold_where_nothing_is_set_for_the_org(world: World) -> None:
    object.__setattr__(world.services.settings, "quota_starts_per_s", 1)
    assert sum(_start(world).status == 201 for _ in range(5)) == 2
    _limit(world, starts_per_s=0)
    assert {_start(world).status for _ in range(5)} == {201}


def test_within_a_rate_a_start_costs_two_requests_to_the_directory(world: World) -> None:
    _limit(world, starts_per_s=10)
    _start(world)
    calls: list[str] = []
    directory = world.services.directory

    class Counting:
        def __getattr__(self, name: str) -> Any:
            calls.append(name)
            return getattr(directory, name)

    object.__setattr__(world.services, "directory", Counting())
    _start(world)
    assert sorted(calls) == ["get", "put", "put"]  # the last is that of every start, for the sweep
