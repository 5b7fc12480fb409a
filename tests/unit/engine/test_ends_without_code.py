"""Ends that no code has a say in: the execution's timeout, and poison turns."""

from __future__ import annotations

import pytest

from flowstrand.engine.decide import child, task, timeout, turn
from flowstrand.engine.decide.start import start_workflow
from flowstrand.engine.effects import ArmTimeout, TellParent, needs_wake, open_effects
from flowstrand.engine.events import ChildFailed, ChildInitiated, Event, ParentRef, WorkflowFailed
from flowstrand.engine.evolve import Draft, fold
from flowstrand.engine.replay.commands import StartChild
from flowstrand.engine.schema import rfc3339
from flowstrand.log.checkpoint import pack_checkpoint, unpack_checkpoint
from tests.unit.engine.folded import (
    EXECUTION,
    NOW_MS,
    PARENT,
    behind,
    drafted,
    names,
    only,
    schedule,
    timer_at,
    wait,
    working,
)

TIMEOUT_MS = 30_000


def begun(parent: ParentRef | None = None, timeout_ms: int | None = TIMEOUT_MS) -> Draft:
    """Behind sequence 1 of an execution with a timeout."""
    at_ms = None if timeout_ms is None else NOW_MS + timeout_ms
    started = start_workflow(
        EXECUTION, kind="order", input=None, queue="default", parent=parent, timeout_at_ms=at_ms
    )
    return Draft(fold(None, [Event(sequence=1, timestamp_ms=NOW_MS, data=started)]), NOW_MS)


def waiting(parent: ParentRef | None = None) -> Draft:
    """Task 1 and timer 2 are open, and what the code saw last is event 1."""
    draft = begun(parent)
    turn.issue(draft, [schedule(1), timer_at(2, NOW_MS + 1_000)], draft.state.sequence)
    wait(draft, frozenset({1, 2}))
    return behind(draft)


def end_of(draft: Draft) -> WorkflowFailed:
    end = draft.events[-1]
    assert isinstance(end, WorkflowFailed)
    return end


# --- the timeout --------------------------------------------------------------------------------


def test_an_execution_fails_at_its_timeout_and_not_before() -> None:
    early, due = behind(waiting(), after_ms=TIMEOUT_MS - 1), behind(waiting(), after_ms=TIMEOUT_MS)
    assert not timeout.time_out(early)
    assert timeout.time_out(due)
    assert names(due) == ["TASK_CANCELLED", "TIMER_CANCELLED", "WORKFLOW_FAILED"]
    assert (end_of(due).failure_type, end_of(due).error.type) == ("TIMEOUT", "WorkflowTimeout")
    assert (
        end_of(due).error.message == f"the workflow had not ended by its timeout, {rfc3339(NOW_MS + TIMEOUT_MS)}"
    )
    assert not timeout.time_out(behind(due))


def test_a_timeout_before_the_first_turn_ends_it_as_well() -> None:
    draft = behind(begun(), after_ms=TIMEOUT_MS)
    assert timeout.time_out(draft)
    assert names(draft) == ["WORKFLOW_FAILED"]
    assert (end_of(draft).horizon, end_of(draft).unseen) == (0, ())


def test_the_end_says_what_the_code_never_saw() -> None:
    draft = behind(waiting(), after_ms=1_000)
    task.claim(draft, 1, attempt=1, worker_id="w", lease_ms=60_000)
    task.complete(draft, 1, attempt=1, output=None)
    completed_at = draft.state.sequence
    late = behind(draft, after_ms=TIMEOUT_MS)
    assert timeout.time_out(late)
    assert (end_of(late).horizon, end_of(late).unseen) == (1, (completed_at,))


def test_an_execution_without_a_timeout_never_meets_one() -> None:
    draft = behind(begun(timeout_ms=None), after_ms=10**12)
    assert not timeout.time_out(draft)
    assert open_effects(draft.state) == []


def test_the_timeout_is_an_effect_of_the_first_event_until_the_end() -> None:
    draft = waiting(PARENT)
    arm = ArmTimeout(at_ms=NOW_MS + TIMEOUT_MS)
    assert open_effects(draft.state)[0] == arm
    assert arm not in open_effects(draft.state, 2)
    late = behind(draft, after_ms=TIMEOUT_MS)
    timeout.time_out(late)
    assert open_effects(late.state) == [TellParent(parent=PARENT)]
    assert needs_wake(late.state, late.state.sequence)


def test_a_checkpoint_keeps_the_timeout() -> None:
    state = waiting().state
    assert unpack_checkpoint(pack_checkpoint(state)).timeout_at_ms == NOW_MS + TIMEOUT_MS


def test_a_childs_timeout_is_recorded_where_it_was_asked_for() -> None:
    draft = drafted()
    command = StartChild(position=1, kind="child", name="c", input=None, queue="default", timeout_ms=5_000)
    turn.issue(draft, [command], draft.state.sequence)
    initiated = only(draft)
    assert isinstance(initiated, ChildInitiated)
    assert initiated.timeout_ms == 5_000


def test_a_parent_hears_of_its_childs_timeout() -> None:
    timed_out = behind(waiting(PARENT), after_ms=TIMEOUT_MS)
    timeout.time_out(timed_out)
    parent = behind(working())
    assert child.ended(parent, 3, end_of(timed_out))
    heard = parent.events[-1]
    assert isinstance(heard, ChildFailed)
    assert (heard.failure_type, heard.error.type) == ("TIMEOUT", "WorkflowTimeout")


# --- poison -------------------------------------------------------------------------------------


def test_a_poisoned_execution_ends_with_its_open_work() -> None:
    draft = waiting()
    assert timeout.poison(draft, sequence=draft.state.sequence, turns=3)
    assert names(draft) == ["TASK_CANCELLED", "TIMER_CANCELLED", "WORKFLOW_FAILED"]
    assert (end_of(draft).failure_type, end_of(draft).error.type) == ("POISON", "PoisonTurn")
    assert "3 turns after event 4" in end_of(draft).error.message


@pytest.mark.parametrize("distance", [-1, 1])
def test_a_log_that_has_gone_on_is_not_poisoned(distance: int) -> None:
    draft = waiting()
    assert not timeout.poison(draft, sequence=draft.state.sequence + distance, turns=3)
    assert draft.events == []


def test_nothing_follows_an_end_without_code() -> None:
    draft = behind(waiting(), after_ms=TIMEOUT_MS)
    timeout.time_out(draft)
    after = behind(draft, after_ms=TIMEOUT_MS)
    assert not timeout.time_out(after)
    assert not timeout.poison(after, sequence=after.state.sequence, turns=1)
    assert not task.expire_deadline(after, 1)
    assert after.events == []
