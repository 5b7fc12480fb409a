"""A turn: issued minus recorded, in whole segments, whoever else is at work on the execution (laws 4, 5 and 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from flowstrand.engine.events import EventType, TaskCreated, WorkflowFailed
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.packing import unpack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.rows import RowLog
from flowstrand.queues.messages import Wake
from flowstrand.service import append, executions, sweep, turn, wakes, workers
from flowstrand.service.executions import StartRequest
from tests.support.memory_stores import MemoryRows
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, key_of, kill, nothing, work

WIDE = "x" * 300


async def fan_out(driver: Driver, input: JsonValue) -> JsonValue:
    """Ten tasks at once, and when they are done ten more."""
    for _ in range(2):
        futures = [work(driver, WIDE) for _ in range(10)]
        await all_of(futures)
    return "done"


async def one_task(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver)


def small_commits(**settings: int) -> ServiceWorld:
    """A world in which about three of the tasks of `fan_out` fit into a commit."""
    return ServiceWorld(max_commit_bytes=1_500, **settings)


def created(world: ServiceWorld, execution: str) -> list[int]:
    return [event.data.position for event in world.events(execution) if isinstance(event.data, TaskCreated)]


def last_types(commits: Sequence[Commit]) -> list[EventType]:
    return [unpack_events(commit)[-1].type for commit in commits]


def finish(world: ServiceWorld, count: int) -> None:
    for _ in range(count):
        [task] = world.claim(limit=1)
        world.complete(task)
    world.settle()


def wake_of(execution: str) -> Wake:
    return Wake(org=ORG, execution_id=key_of(execution).execution_id, sequence=1)


def test_a_turn_too_large_for_one_commit_is_cut_and_only_its_last_commit_closes_it() -> None:
    world = small_commits()
    execution = world.begin(fan_out)
    turn_commits = world.commits(execution)[1:]
    assert len(turn_commits) > 2
    assert all(len(commit.events) < 2_000 for commit in turn_commits)
    assert created(world, execution) == list(range(1, 11))
    closing = [type_ is EventType.WORKFLOW_SUSPENDED for type_ in last_types(turn_commits)]
    assert closing == [False] * (len(turn_commits) - 1) + [True]


def test_a_turn_resumes_once_however_many_commits_it_takes() -> None:
    world = small_commits()
    execution = world.begin(fan_out)
    finish(world, 10)
    assert created(world, execution) == list(range(1, 21))
    assert world.tally(execution, "WORKFLOW_RESUMED") == 1
    assert world.tally(execution, "WORKFLOW_SUSPENDED") == 2


@pytest.mark.parametrize("survived", [1, 2, 3])
@pytest.mark.parametrize("warm", [0, 16])
def test_a_crash_between_segments_continues_with_the_rest(survived: int, warm: int) -> None:
    world = small_commits(warm=warm)
    execution = world.begin(fan_out)
    for _ in range(10):
        [task] = world.claim(limit=1)
        world.complete(task)
    world.seam.after("log.put", *[nothing] * (survived - 1), kill)
    world.die()
    assert world.tally(execution, "WORKFLOW_SUSPENDED") == 1
    assert 10 < len(created(world, execution)) < 20
    world.jump(60_000)
    assert created(world, execution) == list(range(1, 21))
    assert world.tally(execution, "WORKFLOW_RESUMED") == 1
    assert world.tally(execution, "WORKFLOW_SUSPENDED") == 2
    finish(world, 10)
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_a_duplicate_of_a_turn_that_has_closed_drops_everything() -> None:
    world = ServiceWorld()
    execution = world.start(one_task)
    rival = world.boot()
    world.seam.before("log.put", lambda: wakes.handle(rival, wake_of(execution)))
    world.settle()
    assert world.types(execution) == "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED"
    assert len(world.commits(execution)) == 2


def test_a_duplicate_of_the_turn_that_ends_the_execution_drops_everything() -> None:
    world = ServiceWorld()
    execution = world.begin(one_task)
    finish_with = world.claim()
    world.complete(finish_with[0])
    rival = world.boot()
    world.seam.before("log.put", lambda: wakes.handle(rival, wake_of(execution)))
    world.settle()
    assert world.types(execution).endswith("TASK_COMPLETED WORKFLOW_RESUMED WORKFLOW_COMPLETED")
    assert world.tally(execution, "WORKFLOW_RESUMED") == 1


def test_what_a_duplicate_has_recorded_is_not_emitted_again() -> None:
    world = small_commits()
    execution = world.start(fan_out)

    def rival_dies_after_its_first_segment() -> None:
        world.seam.after("log.put", kill)
        with pytest.raises(Killed):
            wakes.handle(world.boot(), wake_of(execution))

    world.seam.before("log.put", rival_dies_after_its_first_segment)
    world.settle()
    assert created(world, execution) == list(range(1, 11))
    assert world.tally(execution, "WORKFLOW_SUSPENDED") == 1


def test_a_turn_rebases_behind_what_arrives_meanwhile_and_leaves_it_to_the_next() -> None:
    async def two_awaits(driver: Driver, input: JsonValue) -> JsonValue:
        first, second = work(driver), work(driver)
        return [await second, await first]

    world = ServiceWorld()
    execution = world.begin(two_awaits)
    first, second = world.claim()
    world.settle()
    world.complete(second)
    world.seam.before("log.put", lambda: world.complete(first))
    world.settle()
    assert world.types(execution).split()[6:] == [
        "TASK_COMPLETED",
        "TASK_COMPLETED",
        "WORKFLOW_RESUMED",
        "WORKFLOW_SUSPENDED",
        "WORKFLOW_RESUMED",
        "WORKFLOW_COMPLETED",
    ]


def test_a_kind_without_code_appends_nothing_and_waits_for_the_sweep() -> None:
    world = ServiceWorld()
    registration = workers.Registration(name="w", queues=("default",), task_kinds=(), workflow_kinds=("one_task",))
    workers.register(world.services, ORG, registration)
    snapshot = executions.start(world.services, ORG, StartRequest(kind="one_task", input=None))
    execution = snapshot.workflow_execution_id
    world.settle()
    assert world.types(execution) == "WORKFLOW_STARTED"
    assert world.mail.control == []
    world.code.deployed["one_task"] = one_task
    assert sweep.run(world.services) == 1
    world.settle()
    assert world.types(execution) == "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED"


def test_a_history_that_comes_back_empty_is_never_taken_for_a_new_execution() -> None:
    class Forgetful(RowLog):
        def read(
            self, key: LogKey, *, after: int, limit: int | None = None, consistent: bool = True
        ) -> Sequence[Commit]:
            return []

    world = ServiceWorld()
    execution = world.begin(one_task)
    services = replace(world.boot(), log=Forgetful(MemoryRows(world.disk)))
    with pytest.raises(LogCorrupted):
        turn.run_turn(services, key_of(execution), "r", lambda tip, since: None)
    assert len(world.commits(execution)) == 2


def test_a_turn_of_an_empty_log_does_nothing() -> None:
    world = ServiceWorld()
    assert turn.run_turn(world.services, key_of("01NEVER"), "r", lambda tip, since: None) is None
    assert world.events("01NEVER") == []


@pytest.mark.parametrize(("warm", "reads_all"), [(16, False), (0, True)])
def test_a_warm_turn_reads_only_what_is_new_and_a_cold_one_replays(warm: int, reads_all: bool) -> None:
    async def many(driver: Driver, input: JsonValue) -> JsonValue:
        for _ in range(30):
            await work(driver)
        return "done"

    world = ServiceWorld(warm=warm)
    execution = world.begin(many)
    for _ in range(20):
        finish(world, 1)
    [task] = world.claim()
    world.complete(task)
    before = world.seam.rows_read
    turn.run_turn(world.services, key_of(execution), "r", lambda tip, since: None)
    cost = world.seam.rows_read - before
    assert (cost >= len(world.commits(execution)) - 1) is reads_all
    assert reads_all or cost <= 4


def test_a_turn_that_keeps_losing_gives_up_and_the_wake_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append, "MAX_CONFLICTS", 1)
    world = small_commits()
    execution = world.start(fan_out)
    with pytest.raises(append.Contended):
        world.settle()
    assert 0 < len(created(world, execution)) < 10
    monkeypatch.undo()
    world.jump(60_000)
    assert created(world, execution) == list(range(1, 11))


async def asks_for_too_much(driver: Driver, input: JsonValue) -> JsonValue:
    work(driver, "small")
    return await work(driver, "x" * 2_000_000)


async def returns_too_much(driver: Driver, input: JsonValue) -> JsonValue:
    work(driver, "small")
    return "x" * 2_000_000


@pytest.mark.parametrize("code", [asks_for_too_much, returns_too_much])
def test_code_that_asks_for_more_than_a_value_may_hold_fails_its_execution(code: object) -> None:
    world = ServiceWorld()
    execution = world.begin(code)  # type: ignore[arg-type]  # both are workflow code
    end = world.events(execution)[-1].data
    assert isinstance(end, WorkflowFailed)
    assert (end.failure_type, end.error.type) == ("LIMIT_EXCEEDED", "PayloadTooLarge")
    assert world.mail.control == []
