"""Retries of random programs that failed, in worlds where anything may come at any moment: they go on where they were."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flowstrand.engine.decide.turn import is_superseded
from flowstrand.engine.events import EventType
from flowstrand.engine.evolve import fold
from flowstrand.engine.retried.failed_turn import failed_turn
from tests.properties.author_steps import Fail, Steps, programs
from tests.properties.author_world import EXECUTION, AuthorWorld, Dice, Watched
from tests.properties.test_programs import assert_replays, dice, lived

failing = st.one_of(
    programs, programs.map(lambda steps: (*steps, Fail())), programs.map(lambda steps: (*steps, Fail()))
)
"""Programs most of which fail, at their end if not before."""
some = settings(max_examples=settings().max_examples * 3 // 5)


def failed(steps: Steps, dice: Dice, *, is_cancelled: bool) -> AuthorWorld:
    """A world whose execution has failed."""
    world = lived(steps, dice, is_cancelled=is_cancelled)
    assume(world.state.closed is EventType.WORKFLOW_FAILED)
    return world


@some
@given(failing, dice, st.booleans())
def test_a_retry_goes_on_from_what_is_kept_and_never_leaves_it(
    steps: Steps, dice: Dice, is_cancelled: bool
) -> None:
    world = failed(steps, dice, is_cancelled=is_cancelled).retried()
    world.live()
    assert_replays(world)


@some
@given(failing, dice, st.booleans())
def test_a_retry_waits_for_work_or_has_something_to_do(steps: Steps, dice: Dice, is_cancelled: bool) -> None:
    world = failed(steps, dice, is_cancelled=is_cancelled).retried()
    state = world.state
    assert not state.is_copying
    assert not state.is_runnable or not is_superseded(state, state.sequence), "a turn that drops itself for ever"


@some
@given(failing, dice, st.booleans())
def test_no_part_of_a_copy_can_run(steps: Steps, dice: Dice, is_cancelled: bool) -> None:
    log = failed(steps, dice, is_cancelled=is_cancelled).retried().log
    state = None
    for event in log[:-1]:
        state = fold(state, [event])
        assert not state.is_runnable
    assert log[-1].type is EventType.RETRY_REQUESTED


@some
@given(programs.map(lambda steps: (*steps, Fail())), dice, st.booleans())
def test_a_retry_of_a_retry_goes_on_as_well(steps: Steps, dice: Dice, is_cancelled: bool) -> None:
    first = failed(steps, dice, is_cancelled=is_cancelled).retried()
    first.live()
    assume(first.state.closed is EventType.WORKFLOW_FAILED)
    second = first.retried()
    second.live()
    assert_replays(second)


@some
@given(failing, dice, st.booleans())
def test_code_of_the_turns_before_sees_what_it_saw(steps: Steps, dice: Dice, is_cancelled: bool) -> None:
    world = failed(steps, dice, is_cancelled=is_cancelled)
    retried = world.retried()
    with world.cold(failed_turn(world.log).horizon) as before, retried.cold(retried.state.horizon) as after:
        assert observed(before, EXECUTION) == observed(after, retried.state.workflow_execution_id)
        assert before.last_position == after.last_position


def observed(driver: Watched, execution_id: str) -> list[str]:
    """What the code has observed, the time and chance included, without the sequences and the execution's id."""
    return [repr(what).replace(execution_id, EXECUTION) for _, *what in driver.program.seen]
