"""The fold: what a log says is open, whether it is runnable, and what cannot follow."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.decide import child, task, timer, turn
from flowstrand.engine.events import Event, EventType, SuspendType, TaskStatus, WaitGroup, WorkflowStatus
from flowstrand.engine.evolve import Draft, evolve, fold
from flowstrand.engine.replay.outcome import Returned, Waiting
from flowstrand.engine.state import ExecutionState, unseen_after
from flowstrand.errors import LogCorrupted
from flowstrand.log.checkpoint import pack_checkpoint, unpack_checkpoint
from tests.unit.engine.folded import (
    ERROR,
    LEASE_MS,
    NOW_MS,
    PARENT,
    begun,
    behind,
    drafted,
    schedule,
    settle_everything,
    start_child,
    timer_at,
    wait,
    working,
)
from tests.unit.every_event import data_of

TERMINAL = [EventType.WORKFLOW_COMPLETED, EventType.WORKFLOW_FAILED, EventType.WORKFLOW_CANCELLED]


def events_of(state: ExecutionState, draft: Draft) -> list[Event]:
    """The draft's events as they are read back."""
    return [
        Event(sequence=sequence, timestamp_ms=draft.now_ms, data=data)
        for sequence, data in enumerate(draft.events, start=state.sequence + 1)
    ]


# --- the beginning and the order ----------------------------------------------------------------


def test_a_log_begins_with_its_start() -> None:
    state = begun(PARENT)
    assert (state.sequence, state.kind, state.queue, state.created_at_ms) == (1, "order", "default", NOW_MS)
    assert (state.parent, state.status, state.is_runnable) == (PARENT, WorkflowStatus.PENDING, True)


@pytest.mark.parametrize("event_type", [t for t in EventType if t is not EventType.WORKFLOW_STARTED])
def test_nothing_else_can_begin_a_log(event_type: EventType) -> None:
    with pytest.raises(LogCorrupted):
        evolve(None, Event(sequence=1, timestamp_ms=NOW_MS, data=data_of(event_type)))


def test_a_start_anywhere_else_is_damage() -> None:
    again = data_of(EventType.WORKFLOW_STARTED)
    with pytest.raises(LogCorrupted):
        evolve(None, Event(sequence=2, timestamp_ms=NOW_MS, data=again))
    with pytest.raises(LogCorrupted):
        evolve(begun(), Event(sequence=2, timestamp_ms=NOW_MS, data=again))


def test_an_empty_log_folds_to_nothing() -> None:
    with pytest.raises(LogCorrupted):
        fold(None, [])


@pytest.mark.parametrize("sequence", [0, 1, 3, 100])
def test_a_gap_or_a_repetition_is_damage(sequence: int) -> None:
    with pytest.raises(LogCorrupted, match="cannot follow"):
        evolve(begun(), Event(sequence=sequence, timestamp_ms=NOW_MS, data=data_of(EventType.WORKFLOW_RESUMED)))


@pytest.mark.parametrize("end", TERMINAL)
@pytest.mark.parametrize("event_type", list(EventType))
def test_nothing_follows_the_end(end: EventType, event_type: EventType) -> None:
    ended = evolve(begun(), Event(sequence=2, timestamp_ms=NOW_MS, data=data_of(end)))
    assert (ended.closed, ended.is_runnable, ended.status.value) == (end, False, end.removeprefix("WORKFLOW_"))
    with pytest.raises(LogCorrupted, match="follows"):
        evolve(ended, Event(sequence=3, timestamp_ms=NOW_MS, data=data_of(event_type)))


@pytest.mark.parametrize(
    "event_type",
    [
        EventType.TASK_STARTED,
        EventType.TASK_COMPLETED,
        EventType.TASK_FAILED,
        EventType.TASK_CANCELLED,
        EventType.TIMER_FIRED,
        EventType.TIMER_CANCELLED,
        EventType.CHILD_WORKFLOW_STARTED,
        EventType.CHILD_WORKFLOW_COMPLETED,
        EventType.CHILD_WORKFLOW_FAILED,
    ],
)
def test_an_event_about_something_that_is_not_open_is_damage(event_type: EventType) -> None:
    with pytest.raises(LogCorrupted, match="nothing is open"):
        evolve(begun(), Event(sequence=2, timestamp_ms=NOW_MS, data=data_of(event_type)))


# --- folding ------------------------------------------------------------------------------------


def test_folding_leaves_the_state_before_it_alone() -> None:
    draft = working()
    before = draft.state
    frozen = deepcopy(before)
    later = behind(draft)
    settle_everything(later)
    turn.resume(later, "w")
    turn.close(later, Returned(None), later.state.sequence, "w")
    assert before == frozen


def test_a_draft_folds_to_what_reading_its_events_folds_to() -> None:
    draft = drafted(parent=PARENT)
    turn.issue(draft, [schedule(1), timer_at(2), schedule(3)], 0)
    wait(draft, frozenset({1}), frozenset({2, 3}))
    assert task.claim(draft, 1, attempt=1, worker_id="w", lease_ms=LEASE_MS)
    task.fail(draft, 1, attempt=1, error=ERROR)
    state = begun(PARENT)
    assert fold(state, events_of(state, draft)) == draft.state


def test_a_checkpoint_holds_the_whole_state() -> None:
    draft = working(parent=PARENT)
    settle_everything(draft)
    assert unpack_checkpoint(pack_checkpoint(draft.state)) == draft.state
    assert unpack_checkpoint(pack_checkpoint(begun())) == begun()


def test_open_work_is_what_has_begun_and_not_settled() -> None:
    draft = working()
    assert (list(draft.state.tasks), list(draft.state.timers), list(draft.state.children)) == ([1, 4], [2], [3])
    running, pending = draft.state.tasks[1], draft.state.tasks[4]
    assert (running.status, running.attempts, running.worker_id) == (TaskStatus.RUNNING, 1, "w")
    assert (pending.status, pending.attempts, pending.due_at_ms) == (TaskStatus.PENDING, 0, NOW_MS)
    assert (running.created_at, running.changed_at, pending.changed_at) == (2, 7, 5)
    settle_everything(draft)
    assert (list(draft.state.tasks), list(draft.state.timers), list(draft.state.children)) == ([4], [], [3])


def test_a_failure_to_be_retried_keeps_its_task_open() -> None:
    draft = working()
    task.fail(draft, 1, attempt=1, error=ERROR)
    waiting = draft.state.tasks[1]
    assert (waiting.status, waiting.attempts, waiting.worker_id) == (TaskStatus.PENDING, 1, None)
    assert waiting.due_at_ms == NOW_MS + 1_000
    assert draft.state.settlements == {}


# --- runnable -----------------------------------------------------------------------------------


def test_an_execution_is_running_while_a_turn_is_open_and_waiting_once_it_is_closed() -> None:
    draft = drafted()
    turn.issue(draft, [schedule(1)], 0)
    assert draft.state.status is WorkflowStatus.RUNNING
    wait(draft, frozenset({1}))
    assert (draft.state.status, draft.state.is_runnable) == (WorkflowStatus.WAITING, False)


def test_a_group_is_released_by_its_last_member() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS), timer_at(2, NOW_MS), timer_at(3, NOW_MS)], 0)
    wait(draft, frozenset({1, 2, 3}))
    for position, runnable in ((2, False), (3, False), (1, True)):
        timer.fire(draft, position)
        assert draft.state.is_runnable is runnable
    assert draft.state.status is WorkflowStatus.RUNNING


def test_any_one_group_releases() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS), timer_at(2, NOW_MS), timer_at(3, NOW_MS)], 0)
    wait(draft, frozenset({1, 2}), frozenset({3}))
    timer.fire(draft, 3)
    assert draft.state.is_runnable


@pytest.mark.parametrize(("settled", "runnable"), [(False, True), (True, False)])
def test_a_failure_releases_a_group_early_unless_it_waits_for_all_to_settle(settled: bool, runnable: bool) -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1), timer_at(2)], 0)
    wait(draft, frozenset({1, 2}), settled=settled)
    timer.cancel(draft, 1)
    assert draft.state.is_runnable is runnable


def test_what_settled_before_the_turn_closed_and_was_not_seen_releases_too() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS)], 0)
    seen = draft.state.sequence
    timer.fire(draft, 1)
    wait(draft, frozenset({1}), horizon=seen)
    assert draft.state.is_runnable
    assert draft.state.is_released_by(seen + 1)
    assert not draft.state.is_released_by(seen)


def test_what_it_waits_for_is_the_first_of_its_first_group_that_is_open() -> None:
    draft = drafted()
    turn.issue(draft, [schedule(1), timer_at(2, NOW_MS), start_child(3), timer_at(4, NOW_MS)], 0)
    said = [draft.state.suspend_type]
    wait(draft, frozenset({1, 2, 3}), frozenset({4}))
    said.append(draft.state.suspend_type)
    assert task.claim(draft, 1, attempt=1, worker_id="w", lease_ms=LEASE_MS)
    task.complete(draft, 1, attempt=1, output=None)
    said.append(draft.state.suspend_type)
    timer.fire(draft, 2)
    said.append(draft.state.suspend_type)
    timer.fire(draft, 4)
    said.append(draft.state.suspend_type)
    assert said == [None, SuspendType.TASK, SuspendType.TIMER, SuspendType.CHILD_WORKFLOW, None]


def test_what_waits_for_signals_alone_waits_for_a_signal() -> None:
    draft = drafted()
    turn.close(draft, Waiting((WaitGroup.of(frozenset(), signals=("go",)),), SuspendType.SIGNAL), 1, "w")
    assert draft.state.suspend_type is SuspendType.SIGNAL


def test_what_a_turn_has_seen_does_not_release_it_again() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS), timer_at(2)], 0)
    timer.fire(draft, 1)
    wait(draft, frozenset({2}), horizon=draft.state.sequence)
    assert not draft.state.is_runnable
    assert draft.state.settlements == {}
    assert draft.state.observed == ()


def test_a_resumed_execution_is_runnable_until_it_suspends() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS), timer_at(2)], 0)
    wait(draft, frozenset({1}))
    timer.fire(draft, 1)
    turn.resume(draft, "w")
    assert draft.state.is_runnable
    wait(draft, frozenset({2}), horizon=draft.state.sequence)
    assert not draft.state.is_runnable


def test_unseen_are_the_observable_events_beyond_a_horizon() -> None:
    draft = working()
    settle_everything(draft)  # 8 completes, 9 fires; 10 says that a child began, which code cannot observe
    assert unseen_after(draft.state, 7) == (8, 9)
    assert unseen_after(draft.state, 8) == (9,)
    assert child.started(draft, 3) is False


@given(order=st.permutations([1, 2, 3, 4, 5, 6]), size=st.integers(1, 6))
def test_whether_a_group_is_released_does_not_depend_on_the_order(order: list[int], size: int) -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(position, NOW_MS) for position in range(1, 7)], 0)
    group = frozenset(range(1, size + 1))
    wait(draft, group)
    fired: set[int] = set()
    for position in order:
        timer.fire(draft, position)
        fired.add(position)
        assert draft.state.is_runnable is (group <= fired)
