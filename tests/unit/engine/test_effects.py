"""Effects: what must be told to the world, derived from the state alone (laws 7 and 8)."""

from __future__ import annotations

import pytest

from flowstrand.engine.decide import child, task, timer, turn
from flowstrand.engine.effects import (
    ArmLease,
    ArmTimer,
    QueueAttempt,
    StartChild,
    TellParent,
    needs_wake,
    open_effects,
)
from flowstrand.engine.events import WorkflowCompleted
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.outcome import Returned
from tests.unit.engine.folded import (
    ERROR,
    LEASE_MS,
    NOW_MS,
    PARENT,
    RETRY,
    behind,
    drafted,
    schedule,
    settle_everything,
    start_child,
    timer_at,
    wait,
    working,
)


def ended(draft: Draft) -> Draft:
    turn.resume(draft, "w")
    turn.close(draft, Returned(None), draft.state.sequence, "w")
    return draft


def test_all_that_is_open_has_an_effect_in_order_of_position() -> None:
    draft = working()
    queue, timers, children, lease = (
        QueueAttempt(position=4, attempt=1, queue="default", at_ms=NOW_MS),
        ArmTimer(position=2, at_ms=NOW_MS + 1_000),
        StartChild(child=draft.state.children[3]),
        ArmLease(position=1, attempt=1, at_ms=NOW_MS + LEASE_MS),
    )
    assert open_effects(draft.state) == [lease, timers, children, queue]


def test_only_effects_of_commits_from_a_sequence_on_are_asked_for() -> None:
    draft = working()  # 2 task, 3 timer, 4 child, 5 task, 6 suspended, 7 task 1 started
    assert [type(effect) for effect in open_effects(draft.state, 7)] == [ArmLease]
    assert [type(effect) for effect in open_effects(draft.state, 5)] == [ArmLease, QueueAttempt]
    assert open_effects(draft.state, 8) == []


def test_what_has_settled_has_no_effect() -> None:
    draft = working()
    settle_everything(draft)
    assert open_effects(draft.state) == [QueueAttempt(position=4, attempt=1, queue="default", at_ms=NOW_MS)]


def test_a_retry_queues_its_next_attempt_for_its_moment() -> None:
    draft = behind(working(), after_ms=500)
    task.fail(draft, 1, attempt=1, error=ERROR)
    at_ms = NOW_MS + 500 + RETRY.initial_ms
    assert QueueAttempt(position=1, attempt=2, queue="default", at_ms=at_ms) in open_effects(draft.state)
    assert open_effects(draft.state, draft.first_sequence) == [
        QueueAttempt(position=1, attempt=2, queue="default", at_ms=at_ms)
    ]


def test_a_started_child_is_not_started_again() -> None:
    draft = drafted()
    turn.issue(draft, [start_child(1)], 0)
    assert [type(effect) for effect in open_effects(draft.state)] == [StartChild]
    child.started(draft, 1)
    assert open_effects(draft.state) == []


@pytest.mark.parametrize("since", [1, 1_000])
def test_an_ended_execution_begins_the_children_it_asked_for_and_tells_its_parent(since: int) -> None:
    draft = ended(working(parent=PARENT))
    assert open_effects(draft.state, since) == [
        StartChild(child=draft.state.children[3]),
        TellParent(parent=PARENT),
    ]


@pytest.mark.parametrize("since", [1, 1_000])
def test_an_ended_execution_whose_children_have_begun_tells_its_parent_and_nobody_else(since: int) -> None:
    draft = working(parent=PARENT)
    child.started(draft, 3)
    assert open_effects(ended(draft).state, since) == [TellParent(parent=PARENT)]
    draft = working()
    child.started(draft, 3)
    assert open_effects(ended(draft).state, since) == []


def test_a_commit_with_effects_needs_a_wake() -> None:
    draft = working()
    assert not draft.state.is_runnable
    assert needs_wake(draft.state, 7)
    assert not needs_wake(draft.state, 8)


def test_a_commit_that_leaves_the_execution_runnable_needs_a_wake() -> None:
    draft = drafted()
    assert needs_wake(draft.state, 1)
    turn.issue(draft, [timer_at(1, NOW_MS), schedule(2)], 0)
    wait(draft, frozenset({1}))
    timer.fire(draft, 1)
    assert needs_wake(draft.state, draft.state.sequence)


def test_a_settlement_that_releases_nothing_needs_none() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS), timer_at(2)], 0)
    wait(draft, frozenset({1, 2}))
    timer.fire(draft, 1)
    assert not needs_wake(draft.state, draft.state.sequence)


def test_the_end_needs_a_wake() -> None:
    draft = ended(drafted())
    assert isinstance(draft.events[-1], WorkflowCompleted)
    assert needs_wake(draft.state, draft.state.sequence)
