"""Random programs of all that authors may write (laws 5, 6 and 8), in worlds where anything may come at any moment."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flowstrand.engine.events import (
    CancellationRequested,
    ChildFailed,
    Event,
    OperationFailed,
    PromiseRejected,
    PromiseTimedOut,
    TaskCancelled,
    TaskFailed,
    TimerCancelled,
    TimerFired,
)
from tests.properties.author_steps import Steps, programs
from tests.properties.author_world import AuthorWorld, Dice

some = settings(max_examples=settings().max_examples * 3 // 5)
"""Each test draws programs of its own, and checks a part of all that is to hold."""

dice = st.lists(st.integers(0, 60), min_size=20, max_size=200).map(Dice)


def lived(steps: Steps, dice: Dice, *, warm: bool = True, is_cancelled: bool = False) -> AuthorWorld:
    """A world that has come to its end, having checked every step of its way."""
    world = AuthorWorld(steps, dice, warm=warm, is_cancelled=is_cancelled)
    world.live()
    return world


@some
@given(programs, dice, st.booleans())
def test_every_turn_replays_what_was_and_no_wake_up_is_lost(steps: Steps, dice: Dice, warm: bool) -> None:
    lived(steps, dice, warm=warm)


@some
@given(programs, dice)
def test_from_every_prefix_cold_code_stands_where_warm_code_stood(steps: Steps, dice: Dice) -> None:
    world = lived(steps, dice)
    for length, standing in world.standings.items():
        with world.cold(length) as driver:
            assert driver.standing() == standing


@some
@given(programs, dice, st.booleans())
def test_code_observes_only_what_events_explain(steps: Steps, dice: Dice, is_cancelled: bool) -> None:
    world = lived(steps, dice, is_cancelled=is_cancelled)
    with world.cold() as driver:
        assert driver.program.leaks == []
        for delivered_to, what, *details in driver.program.seen:
            if what == "caught":
                _, name, _, id = details
                assert is_explained(name, id, world.log[:delivered_to]), (name, id)


@some
@given(programs, dice)
def test_a_cancellation_interrupts_every_branch_at_most_once(steps: Steps, dice: Dice) -> None:
    world = lived(steps, dice, is_cancelled=True)
    with world.cold() as driver:
        assert all(times == 1 for times in driver.interrupted.values())


@some
@given(programs, dice, st.integers(0, 30))
def test_code_with_patches_goes_on_with_what_older_code_began(steps: Steps, dice: Dice, deployed: int) -> None:
    world = AuthorWorld(steps, dice, is_old=True)
    world.live(most_steps=deployed)
    world.deploy()
    world.live()
    assert_replays(world)


def assert_replays(world: AuthorWorld) -> None:
    """Replaying all of it leads to where it came to."""
    with world.cold() as driver:
        last = max(world.standings)
        if last == len(world.log):
            assert driver.standing() == world.standings[last]
    assert not is_violated(world.log), world.log[-1]


def is_violated(log: list[Event]) -> bool:
    return getattr(log[-1].data, "failure_type", None) == "DETERMINISM_VIOLATION"


def is_explained(name: str, id: str, log: list[Event]) -> bool:
    """Whether an event of the log is what an exception of this name tells of."""
    data = [event.data for event in log]
    match name:
        case "Broken" | "BranchCancelled" | "ForeignAwaitable":
            return True
        case "WorkflowCancelled":
            return any(isinstance(one, CancellationRequested) for one in data)
        case "TimedOut":
            return any(isinstance(one, TimerFired) for one in data)
        case "TaskFailed":
            return any(isinstance(one, TaskFailed) and one.task_execution_id == id for one in data)
        case "TaskCancelled":
            return any(isinstance(one, TaskCancelled) and one.task_execution_id == id for one in data)
        case "TimerCancelled":
            return any(isinstance(one, TimerCancelled) and one.timer_id == id for one in data)
        case "ChildWorkflowFailed":
            return any(isinstance(one, ChildFailed) and one.child_workflow_id == id for one in data)
        case "PromiseRejected":
            return any(isinstance(one, PromiseRejected) and one.promise_id == id for one in data)
        case "PromiseTimeout":
            return any(isinstance(one, PromiseTimedOut) and one.promise_id == id for one in data)
        case "OperationFailed":
            return any(isinstance(one, OperationFailed) and one.operation_id == id for one in data)
        case _:
            return False
