"""Cancellation: asked for once, with the children in the same decision; the end at once where no code is to run."""

from __future__ import annotations

import pytest

from flowstrand.engine.decide import cancel, child, turn
from flowstrand.engine.events import (
    CancellationRequested,
    ChildCancellationRequested,
    ParentClosePolicy,
    WorkflowCancelled,
    WorkflowStatus,
)
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import CancelChild, StartChild
from flowstrand.engine.replay.outcome import Returned
from flowstrand.errors import Conflict
from tests.unit.engine.folded import behind, drafted, names, schedule, start_child, wait, working

REQUESTED, CHILD_REQUESTED = "CANCELLATION_REQUESTED", "CHILD_WORKFLOW_CANCELLATION_REQUESTED"


def with_children(*policies: ParentClosePolicy) -> Draft:
    """A decision behind a turn that asked for a task and a child of each policy, and waits for the task."""
    draft = drafted()
    children = [
        StartChild(
            position=position, kind="child", name="c", input=None, queue="default", parent_close_policy=policy
        )
        for position, policy in enumerate(policies, start=2)
    ]
    turn.issue(draft, [schedule(1), *children], 0)
    wait(draft, frozenset({1}))
    return behind(draft)


def asked(draft: Draft) -> list[tuple[int, bool]]:
    """Which children are asked to end, and whether they are forced."""
    requests = [data for data in draft.events if isinstance(data, ChildCancellationRequested)]
    return [(data.position, bool(data.force)) for data in requests]


def test_a_request_is_recorded_with_those_of_the_open_children() -> None:
    draft = working()
    cancel.cancel(draft, reason="late", request_id="r1")
    assert names(draft) == [REQUESTED, CHILD_REQUESTED]
    assert draft.events[0] == CancellationRequested(reason="late", cascade=True, request_id="r1")
    assert draft.state.status is WorkflowStatus.CANCELLING
    assert draft.state.is_runnable
    assert draft.state.requests == {"r1": draft.first_sequence}


def test_children_are_left_alone_where_the_request_says_so() -> None:
    draft = working()
    cancel.cancel(draft, cascade=False)
    assert names(draft) == [REQUESTED]
    assert not draft.state.is_cancel_cascading


def test_a_child_that_was_asked_before_is_not_asked_again() -> None:
    draft = working()
    turn.issue(draft, [CancelChild(position=5, target=3)], draft.state.sequence)
    draft = behind(draft)
    cancel.cancel(draft)
    assert names(draft) == [REQUESTED]


def test_a_second_request_records_nothing() -> None:
    draft = working()
    cancel.cancel(draft)
    draft = behind(draft)
    cancel.cancel(draft, request_id="r2")
    assert draft.events == []


def test_an_execution_that_has_committed_no_turn_ends_at_once() -> None:
    draft = drafted()
    cancel.cancel(draft, reason="never mind")
    assert names(draft) == [REQUESTED, "WORKFLOW_CANCELLED"]
    end = draft.events[-1]
    assert isinstance(end, WorkflowCancelled)
    assert (end.reason, end.horizon, end.unseen) == ("never mind", 0, (2,))


def test_an_ended_execution_cannot_be_cancelled() -> None:
    draft = drafted()
    turn.close(draft, Returned(None), 1, "w")
    with pytest.raises(Conflict) as refused:
        cancel.cancel(behind(draft), force=True)
    assert refused.value.code == "EXECUTION_CLOSED"


def test_a_forced_end_cancels_what_is_open_and_says_what_the_code_has_not_seen() -> None:
    draft = working()
    cancel.cancel(draft, force=True, reason="now")
    assert names(draft) == [
        REQUESTED,
        CHILD_REQUESTED,
        "TASK_CANCELLED",
        "TIMER_CANCELLED",
        "TASK_CANCELLED",
        "WORKFLOW_CANCELLED",
    ]
    end = draft.events[-1]
    assert isinstance(end, WorkflowCancelled)
    assert (end.horizon, end.unseen) == (1, (draft.first_sequence,))


def test_a_forced_end_follows_a_request_that_the_code_has_not_let_through() -> None:
    draft = working()
    cancel.cancel(draft)
    draft = behind(draft)
    cancel.cancel(draft, force=True)
    assert names(draft) == ["TASK_CANCELLED", "TIMER_CANCELLED", "TASK_CANCELLED", "WORKFLOW_CANCELLED"]


def test_at_the_end_each_child_is_treated_by_its_policy() -> None:
    draft = with_children(ParentClosePolicy.CANCEL, ParentClosePolicy.TERMINATE, ParentClosePolicy.ABANDON)
    turn.resume(draft, "w")
    turn.close(draft, Returned(None), draft.state.sequence, "w")
    assert names(draft)[1] == "TASK_CANCELLED"
    assert asked(draft) == [(2, False), (3, True)]


def test_a_forced_end_asks_every_child_and_forces_those_that_end_with_their_parent() -> None:
    draft = with_children(ParentClosePolicy.CANCEL, ParentClosePolicy.TERMINATE, ParentClosePolicy.ABANDON)
    cancel.cancel(draft, force=True)
    assert asked(draft) == [(2, False), (3, False), (4, False), (3, True)]
    assert draft.state.children[3].is_forced


def test_a_child_asked_for_by_code_that_had_not_seen_the_request_is_asked_in_the_same_commit() -> None:
    draft = drafted()
    turn.issue(draft, [schedule(1)], 0)
    wait(draft, frozenset({1}))
    draft = behind(draft)
    cancel.cancel(draft)
    unseen, seen = behind(draft), behind(draft)
    turn.issue(unseen, [start_child(2)], draft.first_sequence - 1)
    assert names(unseen) == ["CHILD_WORKFLOW_INITIATED", CHILD_REQUESTED]
    turn.issue(seen, [start_child(2)], draft.state.sequence)
    assert names(seen) == ["CHILD_WORKFLOW_INITIATED"]


def test_a_child_whose_id_is_taken_fails_without_having_begun() -> None:
    draft = working()
    assert child.refused(draft, 3)
    [data] = draft.events
    assert data.TYPE == "CHILD_WORKFLOW_FAILED"
    assert draft.state.children == {}
    assert not child.refused(draft, 3)
