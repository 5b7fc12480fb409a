"""Decisions, family by family: what each records, and that at most one of two rivals ever does (laws 3 and 4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.decide import child, task, timer, turn
from flowstrand.engine.decide.start import start_workflow
from flowstrand.engine.events import (
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    ErrorInfo,
    OperationCompleted,
    OperationFailed,
    RetryPolicy,
    SuspendType,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStarted,
    TaskStatus,
    TimerCancelled,
    TimerFired,
    TimerStarted,
    WaitGroup,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowResumed,
    WorkflowStatus,
    WorkflowSuspended,
)
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import CancelTask, CancelTimer
from flowstrand.engine.replay.outcome import Outcome, Raised, Returned, Waiting
from flowstrand.errors import Conflict, LogCorrupted
from tests.unit.engine.folded import (
    ERROR,
    EXECUTION,
    LEASE_MS,
    NOW_MS,
    PARENT,
    RETRY,
    behind,
    drafted,
    names,
    only,
    schedule,
    settle_everything,
    start_child,
    timer_at,
    wait,
    working,
)

CHILD_ENDS = {
    "completed": WorkflowCompleted(
        workflow_execution_id=f"{EXECUTION}.c3",
        kind="child",
        status=WorkflowStatus.COMPLETED,
        output={"made": 1},
        horizon=3,
    ),
    "failed": WorkflowFailed(
        workflow_execution_id=f"{EXECUTION}.c3",
        kind="child",
        status=WorkflowStatus.FAILED,
        error=ERROR,
        failure_type="DETERMINISM_VIOLATION",
        horizon=3,
    ),
    "cancelled": WorkflowCancelled(
        workflow_execution_id=f"{EXECUTION}.c3",
        kind="child",
        status=WorkflowStatus.CANCELLED,
        reason="late",
        horizon=3,
    ),
}
OUTCOMES: dict[str, Outcome] = {
    "returned": Returned({"ok": True}),
    "raised": Raised(ERROR, "ERROR"),
    "waiting": Waiting((WaitGroup.of(frozenset({4})),), SuspendType.TASK),
}


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Conflict) as conflict:
        call()
    return conflict.value.code


def closed(draft: Draft, how: str = "returned") -> Draft:
    """A new decision behind the end of `draft`'s execution."""
    turn.resume(draft, "w")
    turn.close(draft, OUTCOMES[how], draft.state.sequence, "w")
    assert draft.state.closed
    return behind(draft, after_ms=10 * LEASE_MS)


# --- start --------------------------------------------------------------------------------------


def test_a_start_holds_all_that_its_views_need() -> None:
    started = start_workflow(
        EXECUTION, kind="order", input=[1], queue="q", version="2", metadata={"a": "b"}, parent=PARENT
    )
    assert (started.status, started.parent_workflow_execution_id) == (WorkflowStatus.PENDING, "01PARENT")
    assert (started.input, started.queue, started.version, started.metadata) == ([1], "q", "2", {"a": "b"})


# --- task ---------------------------------------------------------------------------------------


def test_a_scheduled_task_is_created_at_its_position() -> None:
    draft = drafted()
    turn.issue(draft, [schedule(3, queue="slow")], 0)
    created = only(draft)
    assert isinstance(created, TaskCreated)
    assert (created.task_execution_id, created.position, created.queue) == (f"{EXECUTION}.t3", 3, "slow")
    assert (created.execution_count, created.max_retries, created.retry) == (0, 2, RETRY)


def test_an_attempt_is_claimed_once() -> None:
    draft = behind(working())
    assert task.claim(draft, 4, attempt=1, worker_id="a", lease_ms=LEASE_MS)
    started = only(draft)
    assert isinstance(started, TaskStarted)
    assert (started.attempt, started.execution_count, started.worker_id) == (1, 1, "a")
    assert started.lease_ends_at_ms == draft.now_ms + LEASE_MS
    assert not task.claim(draft, 4, attempt=1, worker_id="b", lease_ms=LEASE_MS)
    assert len(draft.events) == 1


@pytest.mark.parametrize(("position", "attempt"), [(4, 0), (4, 2), (1, 1), (1, 2), (2, 1), (9, 1)], ids=str)
def test_what_is_not_to_be_claimed_is_not(position: int, attempt: int) -> None:
    draft = behind(working())
    assert not task.claim(draft, position, attempt=attempt, worker_id="w", lease_ms=LEASE_MS)
    assert draft.events == []


def test_a_retry_is_claimed_from_its_moment_on() -> None:
    draft = working()
    task.fail(draft, 1, attempt=1, error=ERROR)
    early, due = behind(draft, after_ms=999), behind(draft, after_ms=1_000)
    assert not task.claim(early, 1, attempt=2, worker_id="w", lease_ms=LEASE_MS)
    assert task.claim(due, 1, attempt=2, worker_id="w", lease_ms=LEASE_MS)


def test_completing_records_the_output_of_the_running_attempt() -> None:
    draft = behind(working())
    task.complete(draft, 1, attempt=1, output={"done": 1})
    done = only(draft)
    assert isinstance(done, TaskCompleted)
    assert (done.output, done.attempt, done.worker_id, done.status) == ({"done": 1}, 1, "w", TaskStatus.COMPLETED)


@pytest.mark.parametrize(("position", "attempt"), [(1, 0), (1, 2), (4, 1), (2, 1), (9, 1)])
def test_a_report_of_what_is_not_running_is_stale(position: int, attempt: int) -> None:
    draft = behind(working())
    assert refused(lambda: task.complete(draft, position, attempt=attempt, output=None)) == "STALE_ATTEMPT"
    assert refused(lambda: task.fail(draft, position, attempt=attempt, error=ERROR)) == "STALE_ATTEMPT"
    assert not task.expire_lease(draft, position, attempt=attempt)
    assert draft.events == []


def test_failures_are_retried_while_the_policy_has_an_attempt_left() -> None:
    draft = working()
    statuses: list[TaskStatus] = []
    for attempt in (1, 2, 3):
        draft = behind(draft, after_ms=60_000)
        if attempt > 1:
            assert task.claim(draft, 1, attempt=attempt, worker_id="w", lease_ms=LEASE_MS)
        task.fail(draft, 1, attempt=attempt, error=ERROR)
        failed = draft.events[-1]
        assert isinstance(failed, TaskFailed)
        statuses.append(failed.status)
        assert (failed.retry_at_ms is None) is (failed.status is TaskStatus.FAILED)
        assert (failed.attempt, failed.execution_count, failed.failure_type) == (attempt, attempt, "ERROR")
    assert statuses == [TaskStatus.PENDING, TaskStatus.PENDING, TaskStatus.FAILED]
    assert 1 not in draft.state.tasks


def test_a_failure_that_is_not_retryable_ends_the_task() -> None:
    draft = behind(working())
    task.fail(draft, 1, attempt=1, error=ERROR, retryable=False)
    failed = only(draft)
    assert isinstance(failed, TaskFailed)
    assert (failed.status, failed.retry_at_ms) == (TaskStatus.FAILED, None)


def test_a_silent_worker_uses_an_attempt() -> None:
    draft = behind(working(), after_ms=LEASE_MS)
    assert task.expire_lease(draft, 1, attempt=1)
    failed = only(draft)
    assert isinstance(failed, TaskFailed)
    assert (failed.failure_type, failed.status, failed.attempt) == ("LEASE_EXPIRED", TaskStatus.PENDING, 1)
    assert "worker w " in failed.error.message
    assert not task.expire_lease(draft, 1, attempt=1)


def test_deciding_a_failure_again_decides_the_same_moment() -> None:
    policy = RetryPolicy(max_retries=3, jitter=1)
    base = drafted()
    turn.issue(base, [schedule(1, retry=policy)], 0)
    task.claim(base, 1, attempt=1, worker_id="w", lease_ms=LEASE_MS)
    first, second = behind(base, after_ms=5), behind(base, after_ms=5)
    for draft in (first, second):
        task.fail(draft, 1, attempt=1, error=ERROR)
    assert first.events == second.events


# --- timer --------------------------------------------------------------------------------------


def test_a_timer_starts_and_fires_at_its_moment_once() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS + 50)], 0)
    started = only(draft)
    assert isinstance(started, TimerStarted)
    assert (started.timer_id, started.fire_at_ms) == (f"{EXECUTION}.m1", NOW_MS + 50)
    early, due = behind(draft, after_ms=49), behind(draft, after_ms=50)
    assert not timer.fire(early, 1)
    assert timer.fire(due, 1)
    assert isinstance(only(due), TimerFired)
    assert not timer.fire(due, 1)
    assert not timer.fire(due, 7)


# --- child --------------------------------------------------------------------------------------


def test_a_child_is_initiated_with_an_id_of_its_position() -> None:
    draft = drafted()
    turn.issue(draft, [start_child(5)], 0)
    initiated = only(draft)
    assert isinstance(initiated, ChildInitiated)
    assert (initiated.child_workflow_id, initiated.name, initiated.kind) == (
        f"{EXECUTION}.c5",
        "the-child",
        "child",
    )


def test_a_childs_start_is_recorded_once() -> None:
    draft = behind(working())
    assert child.started(draft, 3)
    assert isinstance(only(draft), ChildStarted)
    assert not child.started(draft, 3)
    assert not child.started(draft, 1)


@pytest.mark.parametrize("how", list(CHILD_ENDS))
@pytest.mark.parametrize("is_started", [False, True])
def test_a_childs_end_is_recorded_once_with_a_missing_start_before_it(how: str, is_started: bool) -> None:
    draft = behind(working())
    if is_started:
        child.started(draft, 3)
    assert child.ended(draft, 3, CHILD_ENDS[how])  # type: ignore[arg-type]  # one of the three ends
    end = "CHILD_WORKFLOW_COMPLETED" if how == "completed" else "CHILD_WORKFLOW_FAILED"
    assert names(draft) == ["CHILD_WORKFLOW_STARTED", end]
    assert not child.ended(draft, 3, CHILD_ENDS["completed"])  # type: ignore[arg-type]
    assert not child.started(draft, 3)
    assert len(draft.events) == 2


def test_a_childs_end_says_how_it_ended() -> None:
    ends: dict[str, ChildCompleted | ChildFailed] = {}
    for how, end in CHILD_ENDS.items():
        draft = behind(working())
        child.ended(draft, 3, end)  # type: ignore[arg-type]  # one of the three ends
        last = draft.events[-1]
        assert isinstance(last, ChildCompleted | ChildFailed)
        ends[how] = last
    completed, failed, cancelled = ends["completed"], ends["failed"], ends["cancelled"]
    assert isinstance(completed, ChildCompleted)
    assert completed.output == {"made": 1}
    assert isinstance(failed, ChildFailed)
    assert (failed.error, failed.failure_type, failed.status) == (
        ERROR,
        "DETERMINISM_VIOLATION",
        WorkflowStatus.FAILED,
    )
    assert isinstance(cancelled, ChildFailed)
    assert (cancelled.failure_type, cancelled.error.message, cancelled.status) == (
        "CANCELLED",
        "late",
        WorkflowStatus.CANCELLED,
    )


# --- rivals -------------------------------------------------------------------------------------


def test_of_cancel_and_complete_exactly_one_is_recorded() -> None:
    completed_first = behind(working())
    task.complete(completed_first, 1, attempt=1, output=None)
    turn.issue(completed_first, [CancelTask(position=5, target=1)], 0)
    assert names(completed_first) == ["TASK_COMPLETED"]
    cancelled_first = behind(working())
    turn.issue(cancelled_first, [CancelTask(position=5, target=1)], 0)
    assert refused(lambda: task.complete(cancelled_first, 1, attempt=1, output=None)) == "STALE_ATTEMPT"
    assert not task.expire_lease(cancelled_first, 1, attempt=1)
    cancelled = only(cancelled_first)
    assert isinstance(cancelled, TaskCancelled)
    assert (cancelled.command, cancelled.status, cancelled.worker_id) == (5, TaskStatus.CANCELLED, "w")


def test_of_fire_and_cancel_exactly_one_is_recorded() -> None:
    fired_first = behind(working(), after_ms=1_000)
    assert timer.fire(fired_first, 2)
    turn.issue(fired_first, [CancelTimer(position=5, target=2)], 0)
    assert names(fired_first) == ["TIMER_FIRED"]
    cancelled_first = behind(working(), after_ms=1_000)
    turn.issue(cancelled_first, [CancelTimer(position=5, target=2)], 0)
    assert not timer.fire(cancelled_first, 2)
    cancelled = only(cancelled_first)
    assert isinstance(cancelled, TimerCancelled)
    assert cancelled.command == 5


RIVALS: dict[str, Callable[[Draft], object]] = {
    "complete": lambda draft: task.complete(draft, 1, attempt=1, output=None),
    "fail": lambda draft: task.fail(draft, 1, attempt=1, error=ERROR, retryable=False),
    "expire": lambda draft: task.expire_lease(draft, 1, attempt=1),
    "cancel": lambda draft: task.cancel(draft, 1, command=9),
    "retry": lambda draft: task.fail(draft, 1, attempt=1, error=ERROR),
    "end": lambda draft: turn.close(draft, Returned(None), draft.state.sequence, "w"),
}


@given(order=st.permutations(sorted(RIVALS)))
def test_an_attempt_ends_once_whoever_comes_first(order: list[str]) -> None:
    draft = behind(working(), after_ms=LEASE_MS)
    for name in order:
        try:
            RIVALS[name](draft)
        except (Conflict, LogCorrupted):
            continue
    ends = [
        data
        for data in draft.events
        if isinstance(data, TaskCompleted | TaskFailed | TaskCancelled) and data.position == 1
    ]
    attempts = [data for data in ends if not isinstance(data, TaskCancelled)]
    assert len(attempts) <= 1
    settled = [data for data in ends if data.status is not TaskStatus.PENDING]
    assert len(settled) <= 1
    assert draft.events[-1].TYPE == "WORKFLOW_COMPLETED"


# --- turn ---------------------------------------------------------------------------------------


def test_a_turn_resumes_exactly_when_the_newest_marker_is_a_suspension() -> None:
    first = drafted()
    turn.resume(first, "w")
    assert first.events == []
    later = behind(working())
    turn.resume(later, "w")
    turn.resume(later, "w")
    resumed = only(later)
    assert isinstance(resumed, WorkflowResumed)
    assert (resumed.status, resumed.worker_id) == (WorkflowStatus.RUNNING, "w")


@pytest.mark.parametrize(
    "suspend_type", [SuspendType.TASK, SuspendType.TIMER, SuspendType.CHILD_WORKFLOW, SuspendType.SIGNAL]
)
def test_a_suspension_says_what_the_code_waits_for(suspend_type: SuspendType) -> None:
    draft = drafted(parent=PARENT)
    turn.issue(draft, [schedule(1)], 0)
    groups = (WaitGroup.of(frozenset({1})),)
    turn.close(draft, Waiting(groups, suspend_type), 1, "w")
    suspended = draft.events[-1]
    assert isinstance(suspended, WorkflowSuspended)
    assert (suspended.suspend_type, suspended.waits, suspended.horizon) == (suspend_type, groups, 1)
    assert suspended.parent_workflow_execution_id == "01PARENT"


def test_the_end_cancels_what_is_open_in_order_of_position_before_it() -> None:
    draft = behind(working())
    turn.resume(draft, "w")
    turn.close(draft, Returned("out"), 7, "w")
    assert names(draft) == [
        "WORKFLOW_RESUMED",
        "TASK_CANCELLED",
        "TIMER_CANCELLED",
        "CHILD_WORKFLOW_CANCELLATION_REQUESTED",
        "TASK_CANCELLED",
        "WORKFLOW_COMPLETED",
    ]
    cancelled = [data for data in draft.events if isinstance(data, TaskCancelled | TimerCancelled)]
    assert [(data.position, data.command) for data in cancelled] == [(1, None), (2, None), (4, None)]
    assert (draft.state.tasks, draft.state.timers) == ({}, {})


@pytest.mark.parametrize("how", ["returned", "raised"])
def test_the_end_says_what_the_code_had_not_seen(how: str) -> None:
    draft = working()
    settle_everything(draft)  # 8 and 9 are observable
    last = behind(draft)
    turn.resume(last, "w")
    turn.close(last, OUTCOMES[how], 8, "w")
    end = last.events[-1]
    assert isinstance(end, WorkflowCompleted | WorkflowFailed)
    assert (end.horizon, end.unseen) == (8, (9,))


def test_code_that_raised_fails_its_execution_with_the_error() -> None:
    draft = drafted()
    error = ErrorInfo(type="ValueError", message="no", stack="…")
    turn.close(draft, Raised(error, "LIMIT_EXCEEDED"), 1, None)
    failed = only(draft)
    assert isinstance(failed, WorkflowFailed)
    assert (failed.error, failed.failure_type, failed.status) == (error, "LIMIT_EXCEEDED", WorkflowStatus.FAILED)


def test_operations_record_results_and_failures() -> None:
    draft = drafted()
    turn.record_operation(draft, 1, "price", {"eur": 3})
    turn.record_operation(draft, 2, "price", ERROR)
    done, failed = draft.events
    assert isinstance(done, OperationCompleted)
    assert (done.operation_id, done.index, done.name, done.result) == (f"{EXECUTION}.o1", 1, "price", {"eur": 3})
    assert isinstance(failed, OperationFailed)
    assert (failed.index, failed.error) == (2, ERROR)


def test_a_turn_is_superseded_by_one_that_has_seen_as_much() -> None:
    draft = drafted()
    turn.issue(draft, [timer_at(1, NOW_MS), timer_at(2)], 0)
    assert not turn.is_superseded(draft.state, 1)
    wait(draft, frozenset({1}))  # at 4, horizon 1
    assert turn.is_superseded(draft.state, 1)
    timer.fire(draft, 1)  # at 5
    assert turn.is_superseded(draft.state, 4)
    assert not turn.is_superseded(draft.state, 5)
    wait(draft, frozenset({2}), horizon=5)
    assert turn.is_superseded(draft.state, 5)


def test_a_turn_of_an_ended_execution_is_superseded() -> None:
    assert turn.is_superseded(closed(drafted()).state, 1)
    assert turn.is_superseded(closed(working()).state, 1_000)


# --- nothing after the end ----------------------------------------------------------------------

COMMANDS: dict[str, Callable[[Draft], object]] = {
    "claim": lambda draft: task.claim(draft, 4, attempt=1, worker_id="w", lease_ms=LEASE_MS),
    "complete": lambda draft: task.complete(draft, 1, attempt=1, output=None),
    "fail": lambda draft: task.fail(draft, 1, attempt=1, error=ERROR),
    "expire lease": lambda draft: task.expire_lease(draft, 1, attempt=1),
    "cancel task": lambda draft: task.cancel(draft, 1),
    "fire": lambda draft: timer.fire(draft, 2),
    "cancel timer": lambda draft: timer.cancel(draft, 2),
    "child started": lambda draft: child.started(draft, 3),
    **{
        f"child {how}": lambda draft, end=end: child.ended(draft, 3, end)  # type: ignore[misc]
        for how, end in CHILD_ENDS.items()
    },
    "resume": lambda draft: turn.resume(draft, "w"),
    "schedule": lambda draft: turn.issue(draft, [schedule(5)], 0),
    "start timer": lambda draft: turn.issue(draft, [timer_at(5)], 0),
    "start child": lambda draft: turn.issue(draft, [start_child(5)], 0),
    "issue a task's cancel": lambda draft: turn.issue(draft, [CancelTask(position=5, target=1)], 0),
    "issue a timer's cancel": lambda draft: turn.issue(draft, [CancelTimer(position=5, target=2)], 0),
    "record a result": lambda draft: turn.record_operation(draft, 1, "price", None),
    "record a failure": lambda draft: turn.record_operation(draft, 1, "price", ERROR),
    **{
        f"close: {how}": lambda draft, outcome=outcome: turn.close(draft, outcome, 7, "w")  # type: ignore[misc]
        for how, outcome in OUTCOMES.items()
    },
}


@pytest.mark.parametrize("how", ["returned", "raised"])
@pytest.mark.parametrize("command", list(COMMANDS))
def test_after_the_end_every_command_records_nothing_or_is_refused(how: str, command: str) -> None:
    draft = closed(working(), how)
    assert draft.state.children, "a child may outlive its parent"
    if command in {"complete", "fail"}:
        assert refused(lambda: COMMANDS[command](draft)) == "EXECUTION_CLOSED"
    elif command.startswith(("schedule", "start", "record", "close")):
        with pytest.raises(LogCorrupted, match="follows"):
            COMMANDS[command](draft)
    else:
        assert not COMMANDS[command](draft)
    assert draft.events == []
