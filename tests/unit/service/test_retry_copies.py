"""Histories that take several commits to copy: a half-made copy is finished by whoever comes by, and never run."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import (
    EventType,
)
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Unavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.service import open_executions, retrying, signals, sweep
from tests.unit.service.retry_world import (
    HOUR_MS,
    do,
    fail_task,
    output,
    retry,
    status,
    two_tasks,
)
from tests.unit.service.service_world import ORG, Killed, ServiceWorld, key_of, kill, unavailable, work


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


@pytest.fixture
def cramped() -> ServiceWorld:
    """A world whose commits hold next to nothing."""
    return ServiceWorld(max_commit_bytes=2_000)


def failed_at_the_end(world: ServiceWorld) -> str:
    async def long(driver: Driver, input: JsonValue) -> JsonValue:
        done = [await work(driver, kind=f"part-{number}") for number in range(4)]
        return [*done, await work(driver, kind="last")]

    execution = world.begin(long)
    for number in range(4):
        do(world, f"part-{number}", number)
    fail_task(world, "last")
    return execution


def finished(world: ServiceWorld, retried: str) -> None:
    """The copy is whole, once, and goes on."""
    types = world.types(retried).split()
    assert types.count("RETRY_REQUESTED") == 1
    assert [event.sequence for event in world.events(retried)] == list(range(1, len(types) + 1))
    do(world, "last", "end")
    assert output(world, retried) == [0, 1, 2, 3, "end"]


def test_a_long_history_is_copied_in_several_commits(cramped: ServiceWorld) -> None:
    execution = failed_at_the_end(cramped)
    retried = retry(cramped, execution)
    assert len(cramped.commits(retried)) > 3
    assert all(len(commit.events) < 3_000 for commit in cramped.commits(retried))
    finished(cramped, retried)


def half_copied(world: ServiceWorld, execution: str, after: int) -> str:
    """The process ends when `after` commits of the copy are there."""
    hooks = [lambda: None] * (after - 1)
    world.seam.after("log.put", *hooks, kill)
    with pytest.raises(Killed):
        retrying.retry(world.services, ORG, execution, request_id="r1")
    world.restart()
    [retried] = [key.execution_id for key in world.disk.commits if ".r" in key.execution_id]
    assert len(world.commits(retried)) == after
    return str(retried)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_half_made_copy_does_nothing_until_somebody_finishes_it(cramped: ServiceWorld, after: int) -> None:
    execution = failed_at_the_end(cramped)
    retried = half_copied(cramped, execution, after)
    assert status(cramped, retried) == "PENDING"
    assert retried not in {e.message.message.execution_id for e in cramped.mail.tasks}
    with pytest.raises(Unavailable) as busy:
        signals.signal(cramped.services, ORG, retried, "word", 1)
    assert busy.value.code == "BUSY"
    assert len(cramped.commits(retried)) == after
    assert cramped.types(retried).count("RETRY_REQUESTED") == 0


@pytest.mark.parametrize("after", [1, 2, 3])
def test_the_sweep_finishes_a_half_made_copy(cramped: ServiceWorld, after: int) -> None:
    retried = half_copied(cramped, failed_at_the_end(cramped), after)
    cramped.jump(HOUR_MS * 2)
    sweep.run(cramped.services)
    cramped.settle()
    finished(cramped, retried)


def test_a_repetition_finishes_a_half_made_copy(cramped: ServiceWorld) -> None:
    execution = failed_at_the_end(cramped)
    retried = half_copied(cramped, execution, 2)
    assert retry(cramped, execution, request_id="r1") == retried
    finished(cramped, retried)


def test_who_dies_before_the_first_commit_leaves_nothing_but_a_row_for_the_sweep(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    fail_task(world, "first")
    world.seam.before("log.put", kill)
    with pytest.raises(Killed):
        retrying.retry(world.services, ORG, execution, request_id="r1")
    world.restart()
    assert [key.execution_id for key, _ in open_executions.every(world.services.directory)] != []
    retried = retry(world, execution, request_id="r1")
    do(world, "first")
    do(world, "second")
    assert output(world, retried) == ["done", "done"]


def test_two_who_copy_at_once_make_one_copy(cramped: ServiceWorld) -> None:
    execution = failed_at_the_end(cramped)
    other = cramped.boot()
    raced: list[str] = []

    def race() -> None:
        cramped.seam.before("log.put")
        retried = retrying.retry(other, ORG, execution, request_id="r1")
        raced.append(retried.snapshot.workflow_execution_id)

    cramped.seam.before("log.put", lambda: None, race)
    retried = retry(cramped, execution, request_id="r1")
    assert raced == [retried]
    finished(cramped, retried)


def test_a_lost_reply_is_no_second_copy(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    fail_task(world, "first")
    world.seam.after("log.put", unavailable)
    retried = retry(world, execution, request_id="r1")
    assert world.tally(retried, "RETRY_REQUESTED") == 1


def test_a_copy_is_swept_until_it_has_ended(world: ServiceWorld) -> None:
    execution = world.begin(two_tasks)
    fail_task(world, "first")
    retried = retry(world, execution)
    assert open_executions.contains(world.services.directory, key_of(retried))
    do(world, "first")
    do(world, "second")
    assert not open_executions.contains(world.services.directory, key_of(retried))
    assert world.events(retried)[-1].type is EventType.WORKFLOW_COMPLETED
