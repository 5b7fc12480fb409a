"""A task's terms: its deadline, the timeouts of its attempts, and which errors are worth another attempt (S14)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowstrand import errors
from flowstrand.engine.decide import task, timer, turn
from flowstrand.engine.effects import ArmDeadline, ArmLease, QueueAttempt, open_effects
from flowstrand.engine.events import ErrorInfo, RetryPolicy, TaskCreated, TaskFailed, TaskStarted, TaskStatus
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.commands import TaskTerms
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Conflict
from flowstrand.log.checkpoint import pack_checkpoint, unpack_checkpoint
from tests.unit.engine.folded import (
    ERROR,
    LEASE_MS,
    RETRY,
    behind,
    drafted,
    only,
    schedule,
    timer_at,
    wait,
)
from tests.unit.engine.played import Played, created, failed
from tests.unit.engine.played import schedule as ask

DEADLINE = TaskTerms(timeout_ms=5_000)
BOUNDED = TaskTerms(start_to_close_ms=10_000)
HEARD = TaskTerms(heartbeat_timeout_ms=3_000)


def asked(terms: TaskTerms, retry: RetryPolicy = RETRY) -> Draft:
    """Task 1 is open on these terms."""
    draft = drafted()
    turn.issue(draft, [replace(schedule(1, retry=retry), terms=terms)], draft.state.sequence)
    wait(draft, frozenset({1}))
    return behind(draft)


def claimed(draft: Draft, attempt: int = 1) -> Draft:
    assert task.claim(draft, 1, attempt=attempt, worker_id="w", lease_ms=LEASE_MS)
    return behind(draft)


def failure(draft: Draft) -> TaskFailed:
    data = only(draft)
    assert isinstance(data, TaskFailed)
    return data


def started(draft: Draft) -> TaskStarted:
    data = draft.events[-1]
    assert isinstance(data, TaskStarted)
    return data


# --- the deadline -------------------------------------------------------------------------------


def test_the_terms_are_recorded_and_what_was_not_said_is_not() -> None:
    draft = drafted()
    terms = TaskTerms(timeout_ms=1, start_to_close_ms=2, heartbeat_timeout_ms=3, priority=4)
    turn.issue(draft, [replace(schedule(1), terms=terms), schedule(2)], draft.state.sequence)
    said, unsaid = draft.events
    assert isinstance(said, TaskCreated)
    assert isinstance(unsaid, TaskCreated)
    assert (said.timeout_ms, said.start_to_close_ms, said.heartbeat_timeout_ms, said.priority) == (1, 2, 3, 4)
    assert {unsaid.timeout_ms, unsaid.start_to_close_ms, unsaid.heartbeat_timeout_ms, unsaid.priority} == {None}


def test_a_task_that_never_began_fails_at_its_deadline_and_not_before() -> None:
    early, due = behind(asked(DEADLINE), after_ms=4_999), behind(asked(DEADLINE), after_ms=5_000)
    assert not task.expire_deadline(early, 1)
    assert task.expire_deadline(due, 1)
    ended = failure(due)
    assert (ended.status, ended.failure_type, ended.attempt) == (TaskStatus.FAILED, "TIMEOUT", 0)
    assert ended.error.type == "DeadlineExceeded"
    assert not task.expire_deadline(due, 1)


def test_the_deadline_ends_a_running_attempt_whose_report_is_then_stale() -> None:
    draft = behind(claimed(asked(DEADLINE)), after_ms=5_000)
    assert task.expire_deadline(draft, 1)
    assert failure(draft).status is TaskStatus.FAILED
    with pytest.raises(Conflict, match="no longer running") as stale:
        task.complete(behind(draft), 1, attempt=1, output=None)
    assert stale.value.code == "STALE_ATTEMPT"
    assert not task.expire_lease(behind(draft, after_ms=LEASE_MS), 1, attempt=1)


def test_the_deadline_ends_a_task_that_waits_for_a_retry() -> None:
    draft = claimed(asked(DEADLINE))
    task.fail(draft, 1, attempt=1, error=ERROR)
    waiting = behind(draft, after_ms=5_000)
    assert task.expire_deadline(waiting, 1)
    assert (failure(waiting).attempt, failure(waiting).failure_type) == (1, "TIMEOUT")


def test_an_attempt_that_could_only_begin_at_the_deadline_is_not_waited_for() -> None:
    draft = behind(claimed(asked(DEADLINE)), after_ms=4_000)
    task.fail(draft, 1, attempt=1, error=ERROR)
    ended = failure(draft)
    assert (ended.status, ended.failure_type, ended.error, ended.retry_at_ms) == (
        TaskStatus.FAILED,
        "ERROR",
        ERROR,
        None,
    )
    in_time = behind(claimed(asked(DEADLINE)), after_ms=3_999)
    task.fail(in_time, 1, attempt=1, error=ERROR)
    assert failure(in_time).status is TaskStatus.PENDING


def test_nothing_is_claimed_at_the_deadline_though_nobody_has_ended_it_yet() -> None:
    late = behind(asked(DEADLINE), after_ms=5_000)
    assert not task.claim(late, 1, attempt=1, worker_id="w", lease_ms=LEASE_MS)


def test_a_deadline_is_no_business_of_what_has_none_has_ended_or_is_no_task() -> None:
    draft = drafted()
    turn.issue(draft, [schedule(1), timer_at(2)], draft.state.sequence)
    late = behind(draft, after_ms=10 * LEASE_MS)
    assert not any(task.expire_deadline(late, position) for position in (1, 2, 9))
    assert timer.fire(late, 2)


def test_the_deadline_is_an_effect_of_the_tasks_creation_until_the_task_has_ended() -> None:
    draft = asked(DEADLINE)  # 2 task, 3 suspended, 4 started
    at_ms = draft.now_ms + 5_000
    assert ArmDeadline(position=1, at_ms=at_ms) in open_effects(draft.state, 2)
    running = claimed(draft)
    assert [type(effect) for effect in open_effects(running.state, 2)] == [ArmLease, ArmDeadline]
    assert [type(effect) for effect in open_effects(running.state, 3)] == [ArmLease]
    task.complete(running, 1, attempt=1, output=None)
    assert open_effects(running.state) == []


def test_a_priority_goes_with_every_attempt() -> None:
    draft = asked(TaskTerms(priority=7))
    [effect] = open_effects(draft.state)
    assert isinstance(effect, QueueAttempt)
    assert effect.priority == 7
    running = claimed(draft)
    task.fail(running, 1, attempt=1, error=ERROR)
    [again] = open_effects(running.state)
    assert isinstance(again, QueueAttempt)
    assert (again.attempt, again.priority) == (2, 7)


def test_a_checkpoint_keeps_the_terms() -> None:
    terms = TaskTerms(timeout_ms=60_000, start_to_close_ms=2, heartbeat_timeout_ms=3, priority=4)
    state = claimed(asked(terms)).state
    assert unpack_checkpoint(pack_checkpoint(state)).tasks == state.tasks


# --- how long one attempt may take --------------------------------------------------------------


def test_a_lease_ends_no_later_than_the_attempt_may_take() -> None:
    draft = asked(BOUNDED)
    claimed(draft)
    begun = started(draft)
    assert begun.lease_ends_at_ms == begun.ends_at_ms == draft.now_ms + 10_000
    long = asked(TaskTerms(start_to_close_ms=2 * LEASE_MS))
    claimed(long)
    assert started(long).lease_ends_at_ms == long.now_ms + LEASE_MS
    assert started(long).ends_at_ms == long.now_ms + 2 * LEASE_MS


def test_no_sign_of_life_extends_a_lease_beyond_what_the_attempt_may_take() -> None:
    draft = claimed(asked(TaskTerms(start_to_close_ms=2 * LEASE_MS)))
    known = draft.state.tasks[1]
    begun_ms = draft.now_ms
    assert task.lease_until_ms(known, begun_ms + 10, LEASE_MS) == begun_ms + LEASE_MS + 10
    assert task.lease_until_ms(known, begun_ms + LEASE_MS + 10, LEASE_MS) == begun_ms + 2 * LEASE_MS


def test_an_attempt_that_takes_too_long_has_failed_and_is_retried_with_all_of_its_time() -> None:
    draft = behind(claimed(asked(BOUNDED)), after_ms=10_000)
    assert task.expire_lease(draft, 1, attempt=1)
    ended = failure(draft)
    assert (ended.status, ended.failure_type, ended.error.type) == (
        TaskStatus.PENDING,
        "TIMEOUT",
        "StartToCloseTimeout",
    )
    again = behind(draft, after_ms=1_000)
    claimed(again, attempt=2)
    assert started(again).ends_at_ms == again.now_ms + 10_000


def test_a_lease_that_ran_out_before_the_attempts_time_is_a_silent_workers() -> None:
    draft = behind(claimed(asked(TaskTerms(start_to_close_ms=2 * LEASE_MS))), after_ms=LEASE_MS)
    assert task.expire_lease(draft, 1, attempt=1)
    assert failure(draft).failure_type == "LEASE_EXPIRED"


# --- how long one attempt may be silent ---------------------------------------------------------


def test_a_heartbeat_timeout_shortens_the_lease_and_its_extensions() -> None:
    draft = asked(HEARD)
    running = claimed(draft)
    assert started(draft).lease_ends_at_ms == draft.now_ms + 3_000
    assert started(draft).ends_at_ms is None
    known = running.state.tasks[1]
    assert task.lease_until_ms(known, draft.now_ms + 2_000, LEASE_MS) == draft.now_ms + 5_000


def test_a_heartbeat_timeout_longer_than_a_lease_changes_nothing() -> None:
    draft = asked(TaskTerms(heartbeat_timeout_ms=2 * LEASE_MS))
    claimed(draft)
    assert started(draft).lease_ends_at_ms == draft.now_ms + LEASE_MS


def test_an_attempt_that_is_silent_for_too_long_uses_an_attempt() -> None:
    draft = asked(HEARD, replace(RETRY, max_retries=1))
    statuses = []
    for attempt in (1, 2):
        running = claimed(behind(draft, after_ms=1_000), attempt=attempt)
        draft = behind(running, after_ms=3_000)
        assert task.expire_lease(draft, 1, attempt=attempt)
        ended = failure(draft)
        assert (ended.failure_type, ended.error.type) == ("TIMEOUT", "HeartbeatTimeout")
        statuses.append(ended.status)
    assert statuses == [TaskStatus.PENDING, TaskStatus.FAILED]


# --- what is worth another attempt --------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "status"), [("CardDeclined", TaskStatus.FAILED), ("ValueError", TaskStatus.PENDING)]
)
def test_errors_that_the_policy_names_are_not_retried(type: str, status: TaskStatus) -> None:
    policy = replace(RETRY, non_retryable=("CardDeclined", "NoSuchCard"))
    draft = claimed(asked(TaskTerms(), policy))
    task.fail(draft, 1, attempt=1, error=ErrorInfo(type=type, message="no"))
    assert failure(draft).status is status
    assert failure(draft).error.retryable is None


def test_a_policy_may_name_timeouts_of_attempts() -> None:
    policy = replace(RETRY, non_retryable=("StartToCloseTimeout",))
    draft = behind(claimed(asked(BOUNDED, policy)), after_ms=10_000)
    assert task.expire_lease(draft, 1, attempt=1)
    assert failure(draft).status is TaskStatus.FAILED


def test_the_log_says_where_the_worker_saw_no_point_in_another_attempt() -> None:
    draft = claimed(asked(TaskTerms()))
    task.fail(draft, 1, attempt=1, error=ERROR, retryable=False)
    assert failure(draft).error == replace(ERROR, retryable=False)


# --- what the workflow sees ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure_type", "cls", "code"),
    [
        ("TIMEOUT", errors.TaskTimeout, "TASK_TIMEOUT"),
        ("ERROR", errors.TaskFailed, "TASK_FAILED"),
        ("LEASE_EXPIRED", errors.TaskFailed, "TASK_FAILED"),
    ],
)
def test_a_task_that_a_timeout_ended_raises_an_error_of_its_own(
    failure_type: str, cls: type[errors.TaskFailed], code: str
) -> None:
    caught: list[errors.TaskFailed] = []

    async def code_of_workflow(driver: Driver) -> None:
        try:
            await ask(driver)
        except errors.TaskFailed as raised:
            caught.append(raised)

    played = Played(code_of_workflow)
    played.deliver(created(1), replace(failed(1), failure_type=failure_type))
    [raised] = caught
    assert (type(raised), raised.code, raised.error_type) == (cls, code, "ValueError")


def test_an_attempt_to_be_retried_after_a_timeout_is_nothing_the_code_sees() -> None:
    played = Played(_result)
    played.deliver(created(1), replace(failed(1, TaskStatus.PENDING), failure_type="TIMEOUT"))
    assert played.groups == ["1"]


async def _result(driver: Driver) -> object:
    return await ask(driver)
