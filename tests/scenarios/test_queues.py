"""Queues that are paused or limited, through HTTP, on both stores, in virtual time."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from flowstrand.jsonvalue import JsonObject
from flowstrand.service.presence import TTL_MS
from tests.scenarios.world import World


def control(world: World, **body: Any) -> Any:
    """Say what is to hold for the queue `default`."""
    answer = world.request("PUT", "/queues/default", body)
    assert answer.status == 200, answer
    return answer.body


def queue(world: World) -> Any:
    """What holds for it."""
    return world.request("GET", "/queues/default").body


def poll(world: World, *, most: int = 10, wait: float = 0, worker: str = "w-1") -> Any:
    """One poll."""
    body: JsonObject = {"workerId": worker, "kinds": ["work", "fails"], "max": most, "wait": wait}
    return world.request("POST", "/queues/default/poll", body).body


def fan_out(world: World, count: int) -> str:
    """An execution with this many tasks that can be claimed."""
    execution = world.start("fan-out", count)
    world.settle()
    return execution


class Meanwhile:
    """Does something when the clock has come to a moment, while a request is held."""

    def __init__(self, world: World, after_ms: int, act: Callable[[], object]) -> None:
        self._sleep_ms = world.clock.sleep_ms
        self._at_ms = world.clock.ms + after_ms
        self._world = world
        self._act: Callable[[], object] | None = act
        world.clock.sleep_ms = self._sleep  # type: ignore[method-assign]  # the seam of this test

    def _sleep(self, duration_ms: float) -> None:
        self._sleep_ms(duration_ms)
        if self._act is not None and self._world.clock.ms >= self._at_ms:
            act, self._act = self._act, None
            act()


def test_a_paused_queue_hands_out_nothing_and_says_so(world: World) -> None:
    fan_out(world, 3)
    assert control(world, paused=True)["state"] == "PAUSED"

    assert poll(world, wait=5) == {"tasks": [], "paused": True, "workerKnown": False}
    assert queue(world)["state"] == "PAUSED"


def test_a_poll_that_is_held_at_a_paused_queue_gets_tasks_as_soon_as_it_is_resumed(world: World) -> None:
    fan_out(world, 3)
    control(world, paused=True)
    began_ms = world.clock.ms
    Meanwhile(world, 4_000, lambda: control(world, paused=False))

    assert len(poll(world, wait=20)["tasks"]) == 3
    assert 4_000 <= world.clock.ms - began_ms <= 4_600


def test_what_runs_goes_on_while_its_queue_is_paused(world: World) -> None:
    execution = fan_out(world, 1)
    (task,) = poll(world)["tasks"]
    control(world, paused=True)

    world.complete(task, "done")
    world.settle()

    assert world.get(execution)["output"] == ["done"]


def test_a_message_that_was_received_before_the_pause_is_given_back(world: World) -> None:
    fan_out(world, 1)
    poll(world, most=1)  # this process now remembers that the queue is active
    execution = fan_out(world, 1)
    receive = world.tasks.receive

    def pausing(*arguments: Any, **options: Any) -> Any:
        received = receive(*arguments, **options)
        control(world, paused=True)
        return received

    world.tasks.receive = pausing  # type: ignore[method-assign]  # the seam of this test
    assert poll(world)["tasks"] == []
    world.tasks.receive = receive  # type: ignore[method-assign]

    control(world, paused=False)
    world.jump(1)

    assert [task["workflowExecutionId"] for task in poll(world)["tasks"]] == [execution]


def test_no_more_attempts_begin_than_the_rate_allows(world: World) -> None:
    fan_out(world, 20)
    control(world, maxTasksPerSecond=4)

    assert len(poll(world)["tasks"]) == 4
    assert poll(world)["tasks"] == []
    world.clock.ms += 500
    assert len(poll(world)["tasks"]) == 2
    world.clock.ms += 60_000
    assert len(poll(world)["tasks"]) == 4


def test_a_poll_at_the_limit_is_held_until_the_next_may_begin(world: World) -> None:
    fan_out(world, 6)
    control(world, maxTasksPerSecond=0.5)
    moments = []
    for _ in range(4):
        assert len(poll(world, wait=20)["tasks"]) == 1
        moments.append(world.clock.ms)

    assert [round((after - before) / 1_000) for before, after in itertools.pairwise(moments)] == [2, 2, 2]


def test_no_more_attempts_run_at_once_than_are_allowed(world: World) -> None:
    execution = fan_out(world, 5)
    control(world, maxConcurrent=2)
    running = poll(world)["tasks"]
    assert len(running) == 2
    assert poll(world, wait=3)["tasks"] == []
    assert queue(world)["running"] == 2

    world.complete(running[0])
    world.settle()
    (third,) = poll(world)["tasks"]
    assert poll(world)["tasks"] == []

    for task in (running[1], third):
        world.complete(task)
    while tasks := poll(world)["tasks"]:
        assert len(tasks) <= 2
        for task in tasks:
            world.complete(task)
    world.settle()
    assert world.get(execution)["status"] == "COMPLETED"
    assert queue(world)["running"] == 0


def test_a_failed_attempt_makes_room_too(world: World) -> None:
    for _ in range(2):
        world.start("retries")
    world.settle()
    control(world, maxConcurrent=1)
    (task,) = poll(world)["tasks"]

    world.fail(task)

    assert len(poll(world)["tasks"]) == 1


def test_standalone_tasks_are_limited_like_others(world: World) -> None:
    register(world)
    for _ in range(3):
        assert world.request("POST", "/task-executions", {"kind": "work"}).status == 201
    world.settle()
    control(world, maxConcurrent=1, maxTasksPerSecond=2)
    (task,) = poll(world)["tasks"]
    assert poll(world)["tasks"] == []
    assert queue(world)["running"] == 1

    world.complete(task)

    assert len(poll(world)["tasks"]) == 1
    assert poll(world)["tasks"] == []


def test_an_attempt_whose_worker_died_makes_room_when_its_lease_ends(world: World) -> None:
    for _ in range(2):
        fan_out(world, 1)
    control(world, maxConcurrent=1)
    (dead,) = poll(world)["tasks"]

    world.jump(59)
    assert poll(world)["tasks"] == []
    world.jump(2)

    (other,) = poll(world)["tasks"]
    assert other["workflowExecutionId"] != dead["workflowExecutionId"]


def test_an_attempt_that_heartbeats_keeps_its_place(world: World) -> None:
    fan_out(world, 2)
    control(world, maxConcurrent=1)
    (task,) = poll(world)["tasks"]
    for _ in range(4):
        world.jump(40)
        path = f"/task-executions/{task['taskExecutionId']}/heartbeat"
        assert world.request("POST", path, {"leaseToken": task["leaseToken"]}).status == 200
        assert poll(world)["tasks"] == []

    world.complete(task)
    assert len(poll(world)["tasks"]) == 1


def test_a_report_that_is_repeated_makes_room_once(world: World) -> None:
    fan_out(world, 4)
    control(world, maxConcurrent=1)
    (task,) = poll(world)["tasks"]
    world.complete(task)
    (other,) = poll(world)["tasks"]

    world.complete(task)

    assert poll(world)["tasks"] == []
    world.complete(other)
    assert len(poll(world)["tasks"]) == 1


def test_what_a_request_leaves_out_stays_and_null_takes_a_limit_away(world: World) -> None:
    control(world, maxTasksPerSecond=4, maxConcurrent=3)
    control(world, paused=True)
    assert control(world, maxTasksPerSecond=None) == {
        "queue": "default",
        "state": "PAUSED",
        "maxConcurrent": 3,
        "running": 0,
        "changedAt": "2026-11-23T12:00:00.000Z",
    }
    assert control(world, maxConcurrent=None, paused=False)["state"] == "ACTIVE"
    fan_out(world, 10)
    assert len(poll(world)["tasks"]) == 10


@pytest.mark.parametrize(
    "body", [{"maxTasksPerSecond": 0}, {"maxConcurrent": 0}, {"maxConcurrent": 1_001}, {"paused": "yes"}, {"x": 1}]
)
def test_limits_that_make_no_sense_are_refused(world: World, body: JsonObject) -> None:
    assert world.request("PUT", "/queues/default", body).status == 400
    assert queue(world) == {"queue": "default", "state": "ACTIVE"}


def test_queues_are_listed_once_somebody_has_named_them(world: World) -> None:
    register(world, queues=["mail", "default"])
    control(world, paused=True)
    world.request("PUT", "/queues/gpu", {"maxConcurrent": 1})

    first = world.request("GET", "/queues", limit="2").body
    rest = world.request("GET", "/queues", after=first["nextAfter"]).body

    states = [(one["queue"], one["state"]) for one in [*first["queues"], *rest["queues"]]]
    assert states == [("default", "PAUSED"), ("gpu", "ACTIVE"), ("mail", "ACTIVE")]
    assert "nextAfter" not in rest


# --- workers ------------------------------------------------------------------------------------


def register(world: World, **fields: Any) -> str:
    """A worker, by its id."""
    body = {"name": "w", "taskKinds": ["work"], **fields}
    answer = world.request("POST", "/workers", body)
    assert answer.status == 201, answer
    return str(answer.body["workerId"])


def workers(world: World, **query: str) -> Any:
    """Those that are listed."""
    return world.request("GET", "/workers", **query).body["workers"]


def test_a_worker_is_listed_with_what_it_serves(world: World) -> None:
    worker = register(world, queues=["default", "mail"], version="v7")

    assert workers(world) == [
        {
            "workerId": worker,
            "name": "w",
            "queues": ["default", "mail"],
            "taskKinds": ["work"],
            "workflowKinds": [],
            "state": "RUNNING",
            "registeredAt": "2026-11-23T12:00:00.000Z",
            "lastSeenAt": "2026-11-23T12:00:00.000Z",
            "version": "v7",
        }
    ]
    assert workers(world, queue="mail") == workers(world)
    assert workers(world, queue="gpu") == []


def test_a_worker_that_polls_stays_and_one_that_is_silent_is_forgotten(world: World) -> None:
    polls, silent = register(world), register(world)
    for _ in range(6):
        world.clock.ms += TTL_MS // 5
        assert "workerKnown" not in poll(world, worker=polls)

    assert [worker["workerId"] for worker in workers(world)] == [polls]
    assert workers(world)[0]["registeredAt"] < workers(world)[0]["lastSeenAt"]
    assert poll(world, worker=silent)["workerKnown"] is False


def test_a_worker_that_registers_again_is_known_again(world: World) -> None:
    worker = register(world)
    world.clock.ms += TTL_MS
    assert poll(world, worker=worker)["workerKnown"] is False

    register(world, workerId=worker)

    assert "workerKnown" not in poll(world, worker=worker)


def test_polls_cost_the_directory_next_to_nothing(world: World) -> None:
    worker = register(world)
    writes = 0
    put = world.services.directory.put

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal writes
        writes += 1
        return put(*arguments, **options)

    world.services.directory.put = counted  # type: ignore[method-assign]  # the seam of this test
    for _ in range(100):
        world.clock.ms += 1_000
        poll(world, worker=worker)
    world.services.directory.put = put  # type: ignore[method-assign]

    assert writes == 1


@pytest.mark.parametrize("state", ["PAUSED", "DRAINING", "STOPPED"])
def test_a_worker_says_what_it_is_doing(world: World, state: str) -> None:
    worker = register(world)

    assert world.request("POST", f"/workers/{worker}/heartbeat", {"state": state}).status == 200

    assert [one["state"] for one in workers(world)] == [state]


def test_a_worker_that_nobody_knows_is_told_to_register(world: World) -> None:
    answer = world.request("POST", "/workers/nobody/heartbeat", {})

    assert (answer.status, answer.body["code"]) == (404, "WORKER_NOT_FOUND")
