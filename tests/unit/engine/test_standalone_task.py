"""A standalone task as the root of a log: how it folds, what effects it has, and when its log ends."""

from __future__ import annotations

import pytest

from flowstrand.engine import ids
from flowstrand.engine.decide import task
from flowstrand.engine.decide.start import start_task
from flowstrand.engine.effects import ArmDeadline, ArmLease, QueueAttempt, needs_wake, open_effects
from flowstrand.engine.events import (
    ErrorInfo,
    Event,
    EventData,
    EventType,
    RetryPolicy,
    TaskCancelled,
    TaskFailed,
    TaskStatus,
    WorkflowStatus,
)
from flowstrand.engine.evolve import Draft, evolve
from flowstrand.engine.replay.commands import ScheduleTask, TaskTerms
from flowstrand.engine.state import ExecutionState
from flowstrand.errors import Conflict, LogCorrupted
from flowstrand.log.checkpoint import pack_checkpoint, unpack_checkpoint

NOW_MS = 1_795_435_200_000
TASK = ids.standalone_task_id(NOW_MS, bytes(10))
ERROR = ErrorInfo(type="ValueError", message="no")


def begun(retries: int = 1, **terms: int) -> ExecutionState:
    command = ScheduleTask(
        position=7,
        kind="charge",
        input=5,
        queue="q",
        retry=RetryPolicy(max_retries=retries, initial_ms=1_000, jitter=0),
        terms=TaskTerms(**terms),
    )
    created = start_task(TASK, command, metadata={"order": "o-1"})
    return evolve(None, Event(sequence=1, timestamp_ms=NOW_MS, data=created))


def claimed(state: ExecutionState, attempt: int = 1, at_ms: int = NOW_MS) -> Draft:
    draft = Draft(state, at_ms)
    assert task.claim(draft, ids.ROOT, attempt=attempt, worker_id="w", lease_ms=60_000)
    return draft


def last(draft: Draft) -> Event:
    return Event(sequence=draft.state.sequence, timestamp_ms=draft.now_ms, data=draft.events[-1])


def test_its_id_is_its_logs_and_tells_it_from_everything_else() -> None:
    assert ids.owner_of(TASK) == (TASK, ids.TASK, ids.ROOT)
    assert ids.is_standalone_task(TASK)
    assert not ids.is_standalone_task(TASK.removesuffix(".t0"))
    assert not ids.is_standalone_task(ids.operation_id("01X", ids.TASK, 10))


def test_it_begins_open_and_is_never_for_code_to_go_on_with() -> None:
    state = begun()
    assert (state.workflow_execution_id, state.kind, state.metadata) == (TASK, "charge", {"order": "o-1"})
    assert (state.is_task, state.is_runnable, state.status) == (True, False, WorkflowStatus.PENDING)
    assert state.tasks[ids.ROOT].task_execution_id == TASK
    assert unpack_checkpoint(pack_checkpoint(state)) == state


def test_its_effects_are_those_of_any_task() -> None:
    state = begun(timeout_ms=5_000)
    assert open_effects(state) == [
        QueueAttempt(position=0, attempt=1, queue="q", at_ms=NOW_MS),
        ArmDeadline(position=0, at_ms=NOW_MS + 5_000),
    ]
    running = claimed(state).state
    assert open_effects(running, 2) == [ArmLease(position=0, attempt=1, at_ms=NOW_MS + 60_000)]
    assert running.status is WorkflowStatus.RUNNING


def test_its_completion_closes_the_log() -> None:
    draft = claimed(begun())
    task.complete(draft, ids.ROOT, attempt=1, output="done")
    assert (draft.state.closed, draft.state.status) == (EventType.TASK_COMPLETED, WorkflowStatus.COMPLETED)
    assert last(draft).is_terminal
    assert needs_wake(draft.state, 3)
    assert open_effects(draft.state) == []
    with pytest.raises(Conflict, match="ended"):
        task.complete(draft, ids.ROOT, attempt=1, output="again")


def test_only_its_last_failure_closes_the_log() -> None:
    draft = claimed(begun(retries=1))
    task.fail(draft, ids.ROOT, attempt=1, error=ERROR)
    assert (draft.state.closed, last(draft).is_terminal) == (None, False)
    draft = claimed(draft.state, 2, NOW_MS + 1_000)
    task.fail(draft, ids.ROOT, attempt=2, error=ERROR)
    assert (draft.state.closed, last(draft).is_terminal) == (EventType.TASK_FAILED, True)


def test_cancelling_closes_the_log_and_says_why() -> None:
    draft = claimed(begun())
    task.cancel(draft, ids.ROOT, reason="late")
    end = draft.events[-1]
    assert isinstance(end, TaskCancelled)
    assert (end.reason, end.worker_id, draft.state.status) == ("late", "w", WorkflowStatus.CANCELLED)


def test_nothing_follows_its_end() -> None:
    draft = claimed(begun())
    task.complete(draft, ids.ROOT, attempt=1, output=None)
    with pytest.raises(LogCorrupted, match="follows"):
        draft.emit(draft.events[0])


def test_it_is_created_at_the_beginning_and_nowhere_else() -> None:
    created = start_task(TASK, ScheduleTask(position=0, kind="k", input=None, queue="q", retry=RetryPolicy()))
    with pytest.raises(LogCorrupted, match="not the beginning"):
        Draft(begun(), NOW_MS).emit(created)
    with pytest.raises(LogCorrupted, match="no log begins"):
        evolve(None, Event(sequence=2, timestamp_ms=NOW_MS, data=created))


@pytest.mark.parametrize("position", [1, 12])
def test_the_end_of_an_executions_task_ends_nothing_else(position: int) -> None:
    data: EventData = TaskFailed(
        task_execution_id=f"01X.t{position}",
        position=position,
        kind="k",
        status=TaskStatus.FAILED,
        execution_count=1,
        max_retries=0,
        attempt=1,
        error=ERROR,
        failure_type="ERROR",
    )
    assert not Event(sequence=9, timestamp_ms=NOW_MS, data=data).is_terminal
