"""Effects: what must be told to the world, derived from the state alone (laws 7 and 8)."""

from __future__ import annotations

import pytest

from flowstrand.engine.decide import child, promise, task, timer, turn
from flowstrand.engine.effects import (
    ArmLease,
    ArmPromise,
    ArmTimer,
    PublishPromise,
    QueueAttempt,
    StartChild,
    StartSuccessor,
    TellChildCancel,
    TellParent,
    needs_wake,
    open_effects,
)
from flowstrand.engine.events import WorkflowCompleted, WorkflowStatus
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import CreatePromise
from flowstrand.engine.replay.outcome import Continued, Returned
from tests.unit.engine.folded import (
    ERROR,
    EXECUTION,
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

COMPLETED = WorkflowCompleted(
    workflow_execution_id=f"{EXECUTION}.c3", kind="child", status=WorkflowStatus.COMPLETED, output=None, horizon=1
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
    known = draft.state.children[3]
    assert open_effects(draft.state, since) == [
        StartChild(child=known),
        TellChildCancel(child=known),
        TellParent(parent=PARENT),
    ]


@pytest.mark.parametrize("since", [1, 1_000])
def test_an_ended_execution_whose_children_have_ended_tells_its_parent_and_nobody_else(since: int) -> None:
    draft = working(parent=PARENT)
    child.ended(draft, 3, COMPLETED)
    assert open_effects(ended(draft).state, since) == [TellParent(parent=PARENT)]
    draft = working()
    child.ended(draft, 3, COMPLETED)
    assert open_effects(ended(draft).state, since) == []


def test_a_child_is_told_of_its_cancel_request_once_it_has_begun_and_for_as_long_as_it_is_open() -> None:
    draft = behind(working())
    child.request_cancel(draft, 3)
    asked_at = draft.state.sequence
    known = draft.state.children[3]
    assert open_effects(draft.state, asked_at) == [StartChild(child=known), TellChildCancel(child=known)]
    child.started(draft, 3)
    assert open_effects(draft.state, asked_at) == [TellChildCancel(child=draft.state.children[3])]
    assert open_effects(draft.state, asked_at + 1) == []
    child.ended(draft, 3, COMPLETED)
    assert open_effects(draft.state, asked_at) == []


def test_a_child_that_cannot_be_told_is_told_no_more() -> None:
    draft = behind(working())
    child.request_cancel(draft, 3)
    child.started(draft, 3)
    assert child.cancel_failed(draft, 3, ERROR)
    assert open_effects(draft.state, draft.first_sequence) == []
    assert not child.cancel_failed(draft, 3, ERROR)


def test_a_promise_is_published_under_its_key_and_armed_for_its_timeout() -> None:
    draft = drafted()
    plain = CreatePromise(position=1, name="plain")
    keyed = CreatePromise(position=2, name="keyed", key="k", timeout_at_ms=NOW_MS + 5)
    turn.issue(draft, [plain, keyed], 0)
    published = PublishPromise(promise=draft.state.promises[2])
    assert open_effects(draft.state) == [published, ArmPromise(position=2, at_ms=NOW_MS + 5)]
    promise.resolve(draft, 2, None)
    assert open_effects(draft.state) == []


def test_of_a_chain_of_executions_only_the_last_tells_the_parent() -> None:
    draft = drafted(parent=PARENT)
    turn.close(draft, Continued(None), 1, "w")
    assert open_effects(draft.state) == [StartSuccessor(successor_id=f"{EXECUTION}.n1")]


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
