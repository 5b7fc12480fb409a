"""Executions that continue as others: the chain is one for its parent, its signals and whoever cancels it."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import SignalReceived, WorkflowCompleted, WorkflowStarted
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import Conflict
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import Wake
from flowstrand.service import append, executions, open_executions, succession, wakes
from flowstrand.service.cancel import cancel
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, kill, work


async def counts(driver: Driver, input: JsonValue) -> JsonValue:
    """Does a piece of work and goes on as another, until it has counted down."""
    assert isinstance(input, int)
    if input == 0:
        return "done"
    await work(driver)
    await driver.continue_as(input - 1)
    return "not reached"


async def listens(driver: Driver, input: JsonValue) -> JsonValue:
    """Takes one signal; what else has come is its successor's."""
    taken = [*input, await driver.wait_for_signal("word")] if isinstance(input, list) else []
    if len(taken) == 3:
        return taken
    await driver.continue_as(taken)
    return "not reached"


async def parent(driver: Driver, input: JsonValue) -> JsonValue:
    return await driver.start_child("counts", 2, name="the-child", queue="default")


@pytest.fixture
def world() -> ServiceWorld:
    world = ServiceWorld()
    world.code.deployed |= {"counts": counts, "listens": listens}
    return world


def signal(world: ServiceWorld, execution: str, value: JsonValue) -> None:
    def decide(draft: Draft) -> None:
        draft.emit(SignalReceived(name="word", value=value))

    append.transact(world.services, key_of(execution), decide)


def work_once(world: ServiceWorld) -> None:
    [task] = world.claim()
    world.complete(task)
    world.settle()


def test_a_successor_starts_as_its_predecessor_did_with_the_input_it_was_given(world: ServiceWorld) -> None:
    world.code.deployed["counts"] = counts
    request = executions.StartRequest(kind="counts", input=1, queue="q", version="7", metadata={"a": "b"})
    execution = executions.start(world.services, ORG, request).workflow_execution_id
    world.settle()
    work_once(world)
    started = world.events(f"{execution}.n1")[0].data
    assert isinstance(started, WorkflowStarted)
    assert (started.kind, started.input, started.queue, started.version) == ("counts", 0, "q", "7")
    assert (started.metadata, started.continued_from, started.parent) == ({"a": "b"}, execution, None)
    snapshot = executions.get(world.services, ORG, execution)
    assert (snapshot.status, snapshot.continued_as) == ("COMPLETED", f"{execution}.n1")
    assert executions.get(world.services, ORG, f"{execution}.n1").output == "done"


def test_a_chain_goes_on_for_as_long_as_its_code_does(world: ServiceWorld) -> None:
    execution = world.begin(counts, 3)
    for _ in range(3):
        work_once(world)
    assert succession.newest(world.services, key_of(execution)).key == key_of(f"{execution}.n3")
    assert executions.get(world.services, ORG, f"{execution}.n3").output == "done"
    assert list(open_executions.every(world.services.directory)) == []


def test_a_late_wake_does_not_run_down_the_chain(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    for _ in range(2):
        work_once(world)
    for ended in (f"{execution}.c1", f"{execution}.c1.n2", execution):
        wakes.handle(world.services, Wake(org=ORG, execution_id=key_of(ended).execution_id, sequence=1))
    assert world.mail.control == []


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(
    ("port", "calls_before"), [("log.put", 0), ("log.put", 1), ("directory.put", 0), ("control.send", 0)]
)
def test_a_crash_leaves_one_successor(world: ServiceWorld, port: str, calls_before: int, side: str) -> None:
    execution = world.begin(counts, 1)
    [task] = world.claim()
    world.settle()
    world.complete(task)
    getattr(world.seam, side)(port, *[lambda: None] * calls_before, kill)
    world.die()
    world.jump(60_000)
    assert world.types(f"{execution}.n1") == "WORKFLOW_STARTED WORKFLOW_COMPLETED"
    assert len(world.disk.commits) == 2


def test_signals_that_nobody_took_are_carried_over_in_order(world: ServiceWorld) -> None:
    execution = world.start(listens)
    for word in ("a", "b", "c"):
        signal(world, execution, word)
    world.settle()
    assert world.types(f"{execution}.n1").startswith(
        "WORKFLOW_STARTED SIGNAL_RECEIVED SIGNAL_RECEIVED SIGNAL_RECEIVED"
    )
    values = [e.data.value for e in world.events(f"{execution}.n2") if isinstance(e.data, SignalReceived)]
    assert values == ["b", "c"]
    assert executions.get(world.services, ORG, f"{execution}.n3").output == ["a", "b", "c"]


def test_signals_too_large_for_one_commit_together_are_carried_over_by_reference() -> None:
    world = ServiceWorld(max_commit_bytes=2_000)
    world.code.deployed["listens"] = listens
    words = [letter * 1_500 for letter in "abc"]
    execution = world.start(listens)
    for word in words:
        signal(world, execution, word)
    world.settle()
    carried = [e.data.value for e in world.events(f"{execution}.n1") if isinstance(e.data, SignalReceived)]
    assert [type(value) for value in carried] == [PayloadRef] * 3
    assert executions.get(world.services, ORG, f"{execution}.n3").output == words


def test_a_signal_that_the_code_had_not_seen_is_carried_over(world: ServiceWorld) -> None:
    execution = world.start(listens)
    world.seam.before("log.put", lambda: signal(world, execution, "late"))
    world.settle()
    end = world.events(execution)[-1].data
    assert isinstance(end, WorkflowCompleted)
    assert (end.horizon, end.unseen, end.carried_signals) == (1, (2,), (2,))
    assert world.types(f"{execution}.n2") == "WORKFLOW_STARTED WORKFLOW_SUSPENDED"


def test_a_parent_hears_of_the_end_of_the_chain_only(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    for _ in range(2):
        assert world.tally(execution, "CHILD_WORKFLOW_COMPLETED") == 0
        work_once(world)
    assert executions.get(world.services, ORG, execution).output == "done"
    child = executions.get(world.services, ORG, f"{execution}.c1.n2")
    assert child.parent_workflow_execution_id == execution


def test_a_cancel_follows_the_chain(world: ServiceWorld) -> None:
    execution = world.begin(counts, 2)
    work_once(world)
    assert cancel(world.services, ORG, execution) == 4
    world.settle()
    assert world.types(f"{execution}.n1").endswith("TASK_CANCELLED WORKFLOW_CANCELLED")
    assert world.tally(execution, "CANCELLATION_REQUESTED") == 0


def test_a_parents_cancel_follows_the_chain_of_its_child(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    work_once(world)
    cancel(world.services, ORG, execution)
    world.settle()
    assert world.types(f"{execution}.c1.n1").endswith("WORKFLOW_CANCELLED")


def test_a_cancel_that_the_code_had_not_seen_is_carried_over_and_answered_alike(world: ServiceWorld) -> None:
    execution = world.begin(counts, 1)
    [task] = world.claim()
    world.settle()
    world.complete(task)

    def ask() -> int:
        return cancel(world.services, ORG, execution, reason="late", request_id="r1")

    world.seam.before("log.put", ask)
    world.settle()
    assert world.types(f"{execution}.n1").startswith("WORKFLOW_STARTED CANCELLATION_REQUESTED")
    assert ask() == world.types(execution).split().index("CANCELLATION_REQUESTED") + 1


def test_whoever_asks_begins_a_successor_that_has_not_begun(world: ServiceWorld) -> None:
    execution = world.begin(counts, 1)
    [task] = world.claim()
    world.settle()
    world.complete(task)
    world.seam.after("log.put", kill)
    world.die()
    assert world.types(f"{execution}.n1") == ""
    assert cancel(world.services, ORG, execution) == 2
    assert world.types(f"{execution}.n1") == "WORKFLOW_STARTED CANCELLATION_REQUESTED WORKFLOW_CANCELLED"
    world.jump(60_000)
    with pytest.raises(Conflict):
        cancel(world.services, ORG, execution)
