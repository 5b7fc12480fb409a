"""S17: schedules: two looks at once, a crash between start and advance, both clock changes, every policy."""

from __future__ import annotations

from typing import Any

import pytest

from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.schema import epoch_ms
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.port import LogKey
from flowstrand.queues.messages import ScheduleDue
from flowstrand.service import schedule_index, schedule_rows, schedule_ticks, sweep
from flowstrand.service.schedule_rows import Schedule
from tests.scenarios.world import ORG, World

HOUR_S, DAY_S = 3_600, 86_400
HOURLY = {"cron": "0 * * * *"}


class Killed(BaseException):
    """The process dies here."""


def create(world: World, timing: dict[str, str], **options: Any) -> ScheduleDue:
    """A schedule `s` of conversations, which are open until they are told to end; returns what has it looked at."""
    body = {"scheduleId": "s", "kind": "conversation", **timing, **options}
    answer = world.request("POST", "/schedules", body)
    assert answer.status == 201, answer
    world.settle()
    [due] = schedule_index.every(world.services.directory)
    return due


def runs(world: World) -> list[tuple[str, str]]:
    """The moment of every run and what became of it, from the oldest on."""
    answer = world.request("GET", "/schedules/s/runs")
    assert answer.status == 200, answer
    return [(run["scheduledAt"][5:16], run["outcome"]) for run in reversed(answer.body["runs"])]


def started(world: World) -> list[str]:
    """The executions of its runs, from the oldest on."""
    found = world.request("GET", "/schedules/s/runs").body["runs"]
    return [run["workflowExecutionId"] for run in reversed(found) if run["outcome"] == "STARTED"]


def statuses(world: World) -> list[str]:
    return [world.get(execution)["status"] for execution in started(world)]


def end(world: World, execution: str) -> None:
    path = f"/workflow-executions/{execution}/signal"
    assert world.request("POST", path, {"signalName": "say", "signalValue": "end"}).status == 200
    world.settle()


def commits_at_1(world: World, execution: str) -> int:
    return len([c for c in world.log.read(LogKey(ORG, ExecutionId(execution)), after=0) if c.sequence == 1])


@pytest.mark.parametrize(
    ("eve", "expected"),
    [
        ("2027-03-27T12:00:00Z", ["03-28T01:00", "03-29T00:30"]),  # no 02:30 on that day: as soon as it is 03:00
        ("2026-10-24T12:00:00Z", ["10-25T00:30", "10-26T01:30"]),  # 02:30 twice: the first time
    ],
    ids=["forward", "back"],
)
def test_s17_where_the_clocks_change_there_is_one_run_that_day(
    world: World, eve: str, expected: list[str]
) -> None:
    world.clock.ms = epoch_ms(eve)
    create(world, {"cron": "30 2 * * *", "timeZone": "Europe/Berlin"}, overlapPolicy="ALLOW")
    for _ in range(48):
        world.jump(HOUR_S)
    assert runs(world) == [(moment, "STARTED") for moment in expected]


def test_s17_once_starts_once_months_later(world: World) -> None:
    create(world, {"at": "2027-02-01T09:30:15+01:00"})
    for _ in range(80):
        world.jump(DAY_S)
    assert runs(world) == [("02-01T08:30", "STARTED")]
    assert world.request("GET", "/schedules/s").body["status"] == "COMPLETED"


def test_s17_two_that_look_at_once_start_one_run(world: World) -> None:
    due = create(world, HOURLY)
    world.clock.ms += HOUR_S * 1_000
    world.log.before_append = lambda _: schedule_ticks.tick(world.services, due)
    world.settle()
    assert runs(world) == [("11-23T13:00", "STARTED")]
    [execution] = started(world)
    assert commits_at_1(world, execution) == 1
    assert world.get(execution)["status"] == "WAITING"


@pytest.mark.parametrize("dies_at", [1, 2], ids=["before-the-decision", "between-start-and-advance"])
def test_s17_a_look_that_dies_is_made_good_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    due = create(world, HOURLY)
    world.clock.ms += HOUR_S * 1_000
    write, writes = schedule_rows.write, 0

    def dying(services: Any, schedule: Schedule, state: Any) -> Schedule:
        nonlocal writes
        writes += 1
        if writes == dies_at:
            raise Killed
        return write(services, schedule, state)

    with monkeypatch.context() as patch:
        patch.setattr(schedule_rows, "write", dying)
        with pytest.raises(Killed):
            schedule_ticks.tick(world.services, due)
    world.settle()
    assert runs(world) == [("11-23T13:00", "STARTED")]
    assert commits_at_1(world, started(world)[0]) == 1
    world.jump(HOUR_S)
    assert runs(world)[1:] == [("11-23T14:00", "SKIPPED")]


@pytest.mark.parametrize(
    ("policy", "outcomes", "then"),
    [
        ("ALLOW", ["STARTED", "STARTED"], ["WAITING", "WAITING"]),
        ("SKIP", ["STARTED", "SKIPPED"], ["WAITING"]),
        ("BUFFER_ONE", ["STARTED"], ["WAITING"]),
        ("CANCEL_OTHER", ["STARTED", "STARTED"], ["CANCELLED", "WAITING"]),
        ("TERMINATE_OTHER", ["STARTED", "STARTED"], ["CANCELLED", "WAITING"]),
    ],
)
def test_s17_a_run_that_is_due_while_another_is_open(
    world: World, policy: str, outcomes: list[str], then: list[str]
) -> None:
    create(world, HOURLY, overlapPolicy=policy)
    world.jump(HOUR_S)
    world.jump(HOUR_S)
    assert ([outcome for _, outcome in runs(world)], statuses(world)) == (outcomes, then)


def test_s17_a_buffered_run_starts_when_the_other_has_ended(world: World) -> None:
    create(world, HOURLY, overlapPolicy="BUFFER_ONE")
    for _ in range(3):
        world.jump(HOUR_S)
    assert world.request("GET", "/schedules/s").body["waitingRun"]["scheduledAt"][5:16] == "11-23T14:00"
    end(world, started(world)[0])
    assert statuses(world) == ["COMPLETED", "WAITING"]
    assert runs(world) == [
        ("11-23T13:00", "STARTED"),
        ("11-23T14:00", "STARTED"),
        ("11-23T15:00", "SKIPPED"),
    ]


@pytest.mark.parametrize(
    ("policy", "outcomes"),
    [
        ("SKIP", ["MISSED", "MISSED", "MISSED"]),
        ("RUN_ONCE", ["MISSED", "MISSED", "STARTED"]),
        ("RUN_ALL", ["STARTED", "STARTED", "STARTED"]),
    ],
)
def test_s17_runs_that_were_missed_while_nothing_ran(world: World, policy: str, outcomes: list[str]) -> None:
    create(world, HOURLY, missedRunPolicy=policy, overlapPolicy="ALLOW", catchUpLimit=3)
    world.jump(HOUR_S * 8 + 600)
    assert runs(world) == list(zip(["11-23T18:00", "11-23T19:00", "11-23T20:00"], outcomes, strict=True))
    world.jump(HOUR_S - 600)
    assert runs(world)[-1] == ("11-23T21:00", "STARTED")


def test_s17_a_schedule_whose_every_message_was_lost_is_found_by_the_sweep(world: World) -> None:
    create(world, HOURLY, overlapPolicy="ALLOW")
    world.clock.ms += HOUR_S * 1_000
    while received := world.control.receive(10, 0):
        for one in received:
            world.control.acknowledge(one)
    world.settle()
    assert (len(world.control), runs(world)) == (0, [])
    sweep.run(world.services)
    world.settle()
    world.jump(HOUR_S)
    assert [outcome for _, outcome in runs(world)] == ["STARTED", "STARTED"]


def test_s17_paused_resumed_triggered_deleted(world: World) -> None:
    create(world, HOURLY, overlapPolicy="ALLOW")
    assert world.request("POST", "/schedules/s/pause").body["status"] == "PAUSED"
    world.jump(HOUR_S)
    assert runs(world) == []
    triggered = world.request("POST", "/schedules/s/trigger", {"requestId": "r1"}).body
    assert (triggered["outcome"], [triggered["workflowExecutionId"]]) == ("STARTED", started(world))
    assert world.request("POST", "/schedules/s/trigger", {"requestId": "r1"}).body == triggered
    assert world.request("POST", "/schedules/s/resume").body["nextRunAt"][5:16] == "11-23T14:00"
    world.jump(HOUR_S)
    assert len(runs(world)) == 2
    assert world.request("DELETE", "/schedules/s").status == 200
    world.jump(HOUR_S)
    assert world.request("GET", "/schedules/s/runs").status == 404
    assert list(schedule_index.every(world.services.directory)) == []


def test_s17_a_schedule_that_is_changed_while_a_look_decides_has_each_run_once(world: World) -> None:
    due = create(world, HOURLY)
    body: JsonObject = {
        "kind": "conversation",
        "cron": "30 * * * *",
        "overlapPolicy": "ALLOW",
        "expectedRevision": 1,
    }
    answers: list[int] = []
    world.clock.ms += HOUR_S * 1_000
    world.log.before_append = lambda _: answers.append(world.request("PUT", "/schedules/s", body).status)
    schedule_ticks.tick(world.services, due)
    world.settle()
    assert (answers, runs(world)) == ([200], [("11-23T13:00", "STARTED")])
    assert commits_at_1(world, started(world)[0]) == 1
    world.jump(HOUR_S)
    assert runs(world) == [("11-23T13:00", "STARTED"), ("11-23T13:30", "STARTED")]
    assert world.request("PUT", "/schedules/s", {**body, "cron": "0 0 * * *"}).body["code"] == "SCHEDULE_CHANGED"
    assert world.request("GET", "/schedules/s").body["revision"] == 2
