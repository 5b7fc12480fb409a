"""Cancelling: recorded once, answered alike however often it is asked, told to children, and never to strangers (law 7)."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import ChildFailed, Event, ParentClosePolicy, WorkflowCancelled, WorkflowCompleted
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of
from flowstrand.errors import ChildWorkflowFailed, Conflict, NotFound
from flowstrand.errors import WorkflowCancelled as Cancelled
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import Wake
from flowstrand.service import executions, wakes
from flowstrand.service.cancel import cancel
from tests.unit.service.service_world import ORG, ServiceWorld, key_of, kill, work

ENDED = "CANCELLATION_REQUESTED WORKFLOW_CANCELLED"


async def waits(driver: Driver, input: JsonValue) -> JsonValue:
    return await work(driver)


async def stubborn(driver: Driver, input: JsonValue) -> JsonValue:
    """Goes on after its cancellation."""
    try:
        return await work(driver)
    except Cancelled:
        return await work(driver)


async def parent(driver: Driver, input: JsonValue) -> JsonValue:
    try:
        return await driver.start_child("waits", None, name="the-child", queue="default")
    except ChildWorkflowFailed as failure:
        return f"{failure.failure_type}: {failure.message}"


async def grandparent(driver: Driver, input: JsonValue) -> JsonValue:
    return await driver.start_child("parent", None, name="the-parent", queue="default")


async def picky(driver: Driver, input: JsonValue) -> JsonValue:
    """Its child has an id of the author's choice; it awaits a task beside it."""
    assert isinstance(input, str)
    future = driver.start_child("waits", None, name="the-child", queue="default", child_id=input)
    try:
        return await future
    except ChildWorkflowFailed as failure:
        return f"{failure.failure_type}: {failure.error_type}"


def leaving(policy: ParentClosePolicy) -> object:
    async def leaves(driver: Driver, input: JsonValue) -> JsonValue:
        """Ends when its timer fires, while its child runs."""
        driver.start_child("grandparent", None, name="below", queue="default", parent_close_policy=policy)
        await driver.start_timer(driver.now_ms + 1_000)
        return None

    return leaves


@pytest.fixture
def world() -> ServiceWorld:
    world = ServiceWorld()
    world.code.deployed |= {"waits": waits, "parent": parent, "grandparent": grandparent, "stubborn": stubborn}
    return world


def refused(world: ServiceWorld, execution: str, **options: object) -> str:
    with pytest.raises((Conflict, NotFound)) as refusal:
        cancel(world.services, ORG, execution, **options)  # type: ignore[arg-type]  # options of cancel
    return refusal.value.code


def last(world: ServiceWorld, execution: str) -> Event:
    return world.events(execution)[-1]


# --- one execution ------------------------------------------------------------------------------


def test_a_pending_execution_is_cancelled_in_one_commit(world: ServiceWorld) -> None:
    execution = world.start(waits)
    assert cancel(world.services, ORG, execution, reason="never mind") == 2
    assert world.types(execution) == f"WORKFLOW_STARTED {ENDED}"
    assert len(world.commits(execution)) == 2
    world.settle()
    assert world.types(execution) == f"WORKFLOW_STARTED {ENDED}"


def test_a_waiting_execution_is_cancelled_by_its_next_turn(world: ServiceWorld) -> None:
    execution = world.begin(waits)
    assert cancel(world.services, ORG, execution, reason="late") == 4
    assert executions.get(world.services, ORG, execution).status == "CANCELLING"
    world.settle()
    assert world.types(execution) == (
        "WORKFLOW_STARTED TASK_CREATED WORKFLOW_SUSPENDED CANCELLATION_REQUESTED WORKFLOW_RESUMED TASK_CANCELLED "
        "WORKFLOW_CANCELLED"
    )
    end = last(world, execution).data
    assert isinstance(end, WorkflowCancelled)
    assert (end.reason, end.horizon, end.unseen) == ("late", 4, ())


def test_a_repeated_request_changes_nothing_gets_the_same_answer_and_wakes_again(world: ServiceWorld) -> None:
    execution = world.begin(waits)
    world.mail.control.clear()
    answers = {cancel(world.services, ORG, execution, request_id="r1") for _ in range(2)}
    answers.add(cancel(world.services, ORG, execution, reason="another"))
    assert answers == {4}
    assert world.tally(execution, "CANCELLATION_REQUESTED") == 1
    assert {wake.sequence for wake in world.wakes()} == {4}
    assert len(world.wakes()) == 3


def test_after_the_end_only_a_repetition_is_answered(world: ServiceWorld) -> None:
    execution = world.begin(waits)
    cancel(world.services, ORG, execution, request_id="r1")
    world.settle()
    assert cancel(world.services, ORG, execution, request_id="r1") == 4
    assert refused(world, execution, request_id="r2") == "EXECUTION_CLOSED"
    assert refused(world, execution) == "EXECUTION_CLOSED"
    assert refused(world, "01NOBODY") == "EXECUTION_NOT_FOUND"


def test_a_completed_execution_cannot_be_forced_to_end(world: ServiceWorld) -> None:
    execution = world.begin(waits)
    [task] = world.claim()
    world.complete(task)
    world.settle()
    assert refused(world, execution, force=True) == "EXECUTION_CLOSED"


def test_a_forced_end_runs_no_code_and_may_follow_a_request_that_was_ignored(world: ServiceWorld) -> None:
    execution = world.begin(stubborn)
    cancel(world.services, ORG, execution, request_id="r1")
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_RESUMED TASK_CREATED WORKFLOW_SUSPENDED")
    turns = world.tally(execution, "WORKFLOW_RESUMED")
    assert cancel(world.services, ORG, execution, force=True, request_id="r2") == 4
    assert world.types(execution).endswith("WORKFLOW_SUSPENDED TASK_CANCELLED TASK_CANCELLED WORKFLOW_CANCELLED")
    world.settle()
    assert world.tally(execution, "WORKFLOW_RESUMED") == turns
    assert cancel(world.services, ORG, execution, force=True, request_id="r2") == 4


# --- children -----------------------------------------------------------------------------------


def test_a_cancel_reaches_children_and_grandchildren(world: ServiceWorld) -> None:
    execution = world.begin(grandparent)
    cancel(world.services, ORG, execution, reason="all of it")
    world.settle()
    for name in (execution, f"{execution}.c1", f"{execution}.c1.c1"):
        end = last(world, name).data
        assert isinstance(end, WorkflowCancelled)
        assert end.reason == "all of it"


def test_a_cancel_that_does_not_cascade_reaches_a_child_by_the_end_of_its_parent(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    cancel(world.services, ORG, execution, cascade=False)
    assert world.types(execution).endswith("CANCELLATION_REQUESTED")
    world.settle()
    assert world.types(execution).endswith("CHILD_WORKFLOW_CANCELLATION_REQUESTED WORKFLOW_CANCELLED")
    end = last(world, f"{execution}.c1").data
    assert isinstance(end, WorkflowCancelled)
    assert end.reason == "the parent workflow has ended"


def test_a_child_that_was_cancelled_fails_its_parents_wait(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    cancel(world.services, ORG, f"{execution}.c1", reason="late")
    world.settle()
    assert executions.get(world.services, ORG, execution).output == "CANCELLED: late"
    [failed] = [e.data for e in world.events(execution) if isinstance(e.data, ChildFailed)]
    assert failed.failure_type == "CANCELLED"


@pytest.mark.parametrize("policy", ParentClosePolicy)
def test_at_the_end_of_a_parent_its_children_are_treated_by_their_policy(
    world: ServiceWorld, policy: ParentClosePolicy
) -> None:
    execution = world.begin(leaving(policy))  # type: ignore[arg-type]  # workflow code
    world.jump(1_000)
    below, deeper, deepest = f"{execution}.c1", f"{execution}.c1.c1", f"{execution}.c1.c1.c1"
    ends = [last(world, name).type for name in (below, deeper, deepest)]
    if policy is ParentClosePolicy.ABANDON:
        assert "WORKFLOW_CANCELLED" not in ends
        [task] = world.claim()
        world.complete(task)
        world.settle()
        assert last(world, below).type == "WORKFLOW_COMPLETED"
    else:
        assert ends == ["WORKFLOW_CANCELLED"] * 3
    assert world.tally(below, "WORKFLOW_RESUMED") == (0 if policy is ParentClosePolicy.TERMINATE else 1)


def test_a_child_that_ends_while_it_is_being_told_is_left_as_it_ended(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    [task] = world.claim()
    world.complete(task, "made")
    cancel(world.services, ORG, execution)
    world.settle()
    assert last(world, f"{execution}.c1").type == "WORKFLOW_COMPLETED"
    assert last(world, execution).type == "WORKFLOW_CANCELLED"


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(
    ("port", "calls_before"), [*(("log.put", n) for n in range(5)), *(("control.send", n) for n in range(2))]
)
def test_a_crash_while_children_are_told_leaves_nobody_untold(
    world: ServiceWorld, port: str, calls_before: int, side: str
) -> None:
    execution = world.begin(grandparent)
    cancel(world.services, ORG, execution)
    getattr(world.seam, side)(port, *[lambda: None] * calls_before, kill)
    world.die()
    world.jump(60_000)
    for name in (execution, f"{execution}.c1", f"{execution}.c1.c1"):
        assert last(world, name).type == "WORKFLOW_CANCELLED"
        assert world.tally(name, "CANCELLATION_REQUESTED") == 1


def test_waking_an_ended_parent_again_tells_its_children_again_and_changes_nothing(world: ServiceWorld) -> None:
    execution = world.begin(parent)
    cancel(world.services, ORG, execution)
    world.settle()
    logs = {str(key): len(commits) for key, commits in world.disk.commits.items()}
    for _ in range(2):
        wakes.handle(world.services, Wake(org=ORG, execution_id=key_of(execution).execution_id, sequence=1))
    world.settle()
    assert {str(key): len(commits) for key, commits in world.disk.commits.items()} == logs


# --- ids of authors' own ------------------------------------------------------------------------


def test_a_child_may_have_an_id_of_its_authors(world: ServiceWorld) -> None:
    execution = world.begin(picky, "order-7")
    [task] = world.claim()
    assert task.workflow_execution_id == "order-7"
    world.complete(task, "made")
    world.settle()
    assert executions.get(world.services, ORG, execution).output == "made"


def test_a_child_whose_id_is_another_executions_fails_and_the_other_is_left_alone(world: ServiceWorld) -> None:
    stranger = world.begin(waits)
    before = world.types(stranger)
    execution = world.begin(picky, stranger)
    assert executions.get(world.services, ORG, execution).output == "ALREADY_EXISTS: WorkflowAlreadyExists"
    assert world.tally(execution, "CHILD_WORKFLOW_STARTED") == 0
    assert world.types(stranger) == before


def test_two_parents_that_want_the_same_id_have_one_child_between_them(world: ServiceWorld) -> None:
    first = world.begin(picky, "order-7")
    second = world.begin(picky, "order-7")
    assert executions.get(world.services, ORG, second).output == "ALREADY_EXISTS: WorkflowAlreadyExists"
    assert executions.get(world.services, ORG, first).status == "WAITING"


def test_a_stranger_with_the_childs_id_is_never_cancelled_even_after_the_parents_end(world: ServiceWorld) -> None:
    async def hasty(driver: Driver, input: JsonValue) -> JsonValue:
        assert isinstance(input, str)
        terminate = ParentClosePolicy.TERMINATE
        driver.start_child("waits", None, name="c", queue="default", child_id=input, parent_close_policy=terminate)
        return None

    stranger = world.begin(waits)
    before = world.types(stranger)
    execution = world.begin(hasty, stranger)
    assert last(world, execution).type == "WORKFLOW_COMPLETED"
    assert world.types(stranger) == before


# --- races --------------------------------------------------------------------------------------


def test_a_child_asked_for_before_the_code_saw_the_request_is_asked_as_well(world: ServiceWorld) -> None:
    """Though both are delivered in one turn, and the code waits for the child under a shield."""

    async def shielding(driver: Driver, input: JsonValue) -> JsonValue:
        await work(driver)
        child = driver.start_child("waits", None, name="the-child", queue="default")
        await all_of([child], settled=True, is_shielded=True)
        return None

    execution = world.begin(shielding)
    [task] = world.claim()
    world.complete(task)
    cancel(world.services, ORG, execution)
    world.settle()
    assert world.types(execution).endswith(
        "CANCELLATION_REQUESTED WORKFLOW_RESUMED CHILD_WORKFLOW_INITIATED CHILD_WORKFLOW_CANCELLATION_REQUESTED "
        "WORKFLOW_SUSPENDED CHILD_WORKFLOW_STARTED CHILD_WORKFLOW_FAILED WORKFLOW_RESUMED WORKFLOW_COMPLETED"
    )


def test_a_turn_that_a_request_overtakes_asks_the_child_that_it_begins(world: ServiceWorld) -> None:
    async def tasked(driver: Driver, input: JsonValue) -> JsonValue:
        await work(driver)
        return await driver.start_child("waits", None, name="the-child", queue="default")

    execution = world.begin(tasked)
    [task] = world.claim()
    world.settle()
    world.complete(task)
    world.seam.before("log.put", lambda: cancel(world.services, ORG, execution))
    world.settle()
    assert "CHILD_WORKFLOW_INITIATED CHILD_WORKFLOW_CANCELLATION_REQUESTED WORKFLOW_SUSPENDED" in world.types(
        execution
    )
    assert last(world, execution).type == "WORKFLOW_CANCELLED"
    assert last(world, f"{execution}.c2").type == "WORKFLOW_CANCELLED"


def test_what_the_code_did_not_see_before_its_end_is_unseen_though_it_was_there(world: ServiceWorld) -> None:
    execution = world.begin(waits)
    [task] = world.claim()
    completed_at = world.complete(task, "made")
    requested_at = cancel(world.services, ORG, execution)
    world.settle()
    end = last(world, execution).data
    assert isinstance(end, WorkflowCompleted)
    assert (end.output, end.horizon, end.unseen) == ("made", completed_at, (requested_at,))
