"""What workers do: claim, report, heartbeat; and what becomes of a worker that falls silent."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier, Semaphore, get_ident
from threading import Event as Signal

import pytest

from flowstrand.engine.decide import timer
from flowstrand.engine.events import (
    ErrorInfo,
    RetryPolicy,
    TaskCompleted,
    TaskFailed,
    TaskStarted,
    TaskStatus,
    WorkflowCompleted,
)
from flowstrand.engine.ids import OrgId
from flowstrand.engine.replay.commands import StartTimer
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.waits import all_of
from flowstrand.errors import CallerError, Conflict, NotFound, Unavailable
from flowstrand.errors import TaskFailed as RaisedInCode
from flowstrand.jsonvalue import JsonValue
from flowstrand.queues.messages import Due, DueKind, Wake
from flowstrand.service import append, inbox, polling, reports, sweep, tasks, wakes
from flowstrand.service.tasks import ClaimedTask
from flowstrand.service.tokens import Lease, LeaseTokens
from tests.support.memory_queues import Envelope
from tests.unit.service.service_world import ONCE, ORG, Killed, ServiceWorld, key_of, kill, nothing, work

ERROR = ErrorInfo(type="ValueError", message="no luck")
TWICE = RetryPolicy(max_retries=1, initial_ms=1_000, jitter=0)
_PATIENCE_S = 20


async def one_task(driver: Driver, input: JsonValue) -> JsonValue:
    try:
        return await work(driver, {"for": "you"})
    except RaisedInCode as failure:
        return failure.error_type


async def retried_task(driver: Driver, input: JsonValue) -> JsonValue:
    try:
        return await work(driver, retry=TWICE)
    except RaisedInCode as failure:
        return failure.error_type


@pytest.fixture
def world() -> ServiceWorld:
    return ServiceWorld()


def claimed(world: ServiceWorld, code: Callable[..., object] = one_task) -> tuple[str, ClaimedTask]:
    """An execution whose one task is in a worker's hands, and nothing else under way."""
    execution = world.begin(code)  # type: ignore[arg-type]  # workflow code
    [task] = world.claim()
    world.settle()
    return execution, task


def fail(world: ServiceWorld, task: ClaimedTask, *, retryable: bool = True) -> int:
    return tasks.fail(
        world.services,
        ORG,
        task.task_execution_id,
        lease_token=task.lease_token,
        error=ERROR,
        retryable=retryable,
    )


def heartbeat(world: ServiceWorld, task: ClaimedTask) -> bool:
    return tasks.heartbeat(world.services, ORG, task.task_execution_id, lease_token=task.lease_token)


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """The status and code that a caller is refused with."""
    with pytest.raises(CallerError) as refused:
        call()
    return refused.value.status, refused.value.code


# --- claiming -----------------------------------------------------------------------------------


def test_a_claim_records_the_attempt_and_its_lease_wakes_and_deletes_the_message(world: ServiceWorld) -> None:
    execution = world.begin(one_task)
    [task] = world.claim()
    started = world.events(execution)[-1].data
    assert isinstance(started, TaskStarted)
    assert (started.attempt, started.worker_id) == (1, "w-1")
    assert started.lease_ends_at_ms == task.lease_ends_at_ms == world.clock.now_ms() + 60_000
    assert (task.task_execution_id, task.kind, task.input) == (f"{execution}.t1", "work", {"for": "you"})
    assert [wake.sequence for wake in world.wakes()] == [4]
    assert world.mail.tasks == []


def test_the_wake_of_a_claim_arms_the_lease_end(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    [due] = world.mail.control
    assert due.message == Due(
        org=ORG, execution_id=key_of(execution).execution_id, kind=DueKind.LEASE, position=1, attempt=1
    )
    assert due.visible_at_ms == task.lease_ends_at_ms


def test_the_attempts_of_one_execution_are_claimed_in_one_commit(world: ServiceWorld) -> None:
    async def three(driver: Driver, input: JsonValue) -> JsonValue:
        await all_of([work(driver) for _ in range(3)])
        return None

    execution = world.begin(three)
    assert len(world.claim()) == 3
    assert world.commits(execution)[-1].count == 3
    assert len(world.wakes()) == 1


def test_a_poll_leaves_what_it_does_not_serve_to_others(world: ServiceWorld) -> None:
    execution = world.begin(one_task)
    assert world.claim("other-work") == []
    assert world.tally(execution, "TASK_STARTED") == 0
    world.clock.advance(30_000)
    assert len(world.claim("work")) == 1


def test_an_attempt_that_is_not_due_yet_is_not_claimed(world: ServiceWorld) -> None:
    execution, task = claimed(world, retried_task)
    fail(world, task)
    world.settle()
    [waiting] = world.mail.tasks
    waiting.visible_at_ms = world.clock.now_ms()  # a queue that does not keep its word
    assert world.claim() == []
    assert world.tally(execution, "TASK_STARTED") == 1
    world.jump(31_000)
    [second] = world.claim()
    assert second.attempt == 2


def test_a_message_for_a_started_attempt_sends_its_wake_and_is_dropped(world: ServiceWorld) -> None:
    """As the message that comes again because a claimer died before it deleted it."""
    execution = world.begin(one_task)
    world.seam.before("control.send", kill)
    with pytest.raises(Killed):
        world.claim()
    world.restart()
    assert (world.tally(execution, "TASK_STARTED"), world.dues()) == (1, [])
    world.clock.advance(30_000)
    assert world.claim() == []
    assert world.mail.tasks == []
    world.settle()
    assert [due.kind for due in world.dues()] == [DueKind.LEASE]
    assert world.tally(execution, "TASK_STARTED") == 1


def test_a_message_for_a_settled_task_is_dropped(world: ServiceWorld) -> None:
    execution = world.begin(one_task)
    wakes.handle(world.services, Wake(org=ORG, execution_id=key_of(execution).execution_id, sequence=1))
    [task] = world.claim(limit=1)
    world.complete(task)
    assert len(world.mail.tasks) == 1
    assert world.claim() == []
    assert world.mail.tasks == []


def test_a_poll_without_work_returns_nothing(world: ServiceWorld) -> None:
    polled = polling.poll(world.services, ORG, "default", worker_id="w", kinds=["work"], limit=1, wait_s=0)
    assert list(polled.tasks) == []


# --- reports ------------------------------------------------------------------------------------


@pytest.mark.parametrize("report", [ServiceWorld.complete, fail])
def test_repeating_a_report_gives_the_same_sequence_and_wakes_again(
    world: ServiceWorld, report: Callable[[ServiceWorld, ClaimedTask], int]
) -> None:
    execution, task = claimed(world, retried_task)
    sequence = report(world, task)
    assert sequence == world.events(execution)[-1].sequence
    world.settle()
    length = len(world.events(execution))
    assert report(world, task) == sequence
    assert [wake.sequence for wake in world.wakes()] == [sequence]
    world.settle()
    assert len(world.events(execution)) == length


def test_a_repeated_report_is_answered_after_the_end_too(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    sequence = world.complete(task)
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    assert world.complete(task) == sequence


def test_a_report_whose_wake_was_lost_is_mended_by_repeating_it(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    world.seam.before("control.send", kill)
    with pytest.raises(Killed):
        world.complete(task)
    world.settle()
    assert world.types(execution).endswith("TASK_COMPLETED")
    world.complete(task)
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


@pytest.mark.parametrize("code", [one_task, retried_task])
def test_completing_an_attempt_that_has_failed_is_a_conflict(
    world: ServiceWorld, code: Callable[..., object]
) -> None:
    execution, task = claimed(world, code)
    fail(world, task)
    length = len(world.events(execution))
    assert refusal(lambda: world.complete(task)) == (409, "STALE_ATTEMPT")
    assert len(world.events(execution)) == length


def test_failing_an_attempt_that_has_completed_is_a_conflict(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    world.complete(task)
    assert refusal(lambda: fail(world, task)) == (409, "STALE_ATTEMPT")
    world.settle()
    assert refusal(lambda: fail(world, task)) == (409, "EXECUTION_CLOSED")
    assert world.tally(execution, "TASK_FAILED") == 0


def test_a_failure_is_retried_until_no_attempt_is_left(world: ServiceWorld) -> None:
    execution, first = claimed(world, retried_task)
    fail(world, first)
    world.settle()
    world.jump(1_000)
    [second] = world.claim()
    fail(world, second)
    world.settle()
    failures = [e.data for e in world.events(execution) if isinstance(e.data, TaskFailed)]
    assert [(f.attempt, f.status) for f in failures] == [(1, TaskStatus.PENDING), (2, TaskStatus.FAILED)]
    assert failures[0].retry_at_ms is not None
    assert failures[1].retry_at_ms is None
    end = world.events(execution)[-1].data
    assert isinstance(end, WorkflowCompleted)
    assert end.output == "ValueError"


def test_a_failure_that_is_not_retryable_is_permanent(world: ServiceWorld) -> None:
    execution, task = claimed(world, retried_task)
    fail(world, task, retryable=False)
    world.settle()
    assert world.tally(execution, "TASK_FAILED") == 1
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_an_unknown_task_is_not_found(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    for unknown in (f"{execution}.t2", "01NEVER.t1", f"{execution}.m1", "nonsense", "", f"{execution}.t"):
        mistaken = replace(task, task_execution_id=unknown)
        assert refusal(partial(world.complete, mistaken)) == (404, "TASK_NOT_FOUND"), unknown
    assert world.tally(execution, "TASK_COMPLETED") == 0


def forgeries(task: ClaimedTask) -> list[str]:
    """Tokens that are no lease on this task."""
    own = {"org": ORG, "task_id": task.task_execution_id, "attempt": 1, "sequence": 4}
    tokens = LeaseTokens("a secret of at least thirty-two bytes")
    stranger = LeaseTokens("another secret of at least thirty-two bytes")
    return [
        "",
        "nonsense",
        task.lease_token[:-2],
        stranger.sign(Lease(**own)),  # type: ignore[arg-type]  # the fields of a lease
        tokens.sign(Lease(**own | {"task_id": "01OTHER.t1"})),  # type: ignore[arg-type]
        tokens.sign(Lease(**own | {"org": OrgId("other")})),  # type: ignore[arg-type]
    ]


def test_a_forged_lease_is_refused_by_every_report(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    length = len(world.events(execution))
    for token in forgeries(task):
        forged = replace(task, lease_token=token)
        for report in (ServiceWorld.complete, fail, heartbeat):
            assert refusal(partial(report, world, forged)) == (409, "INVALID_LEASE"), token
    assert len(world.events(execution)) == length


def test_another_orgs_task_is_not_found_whatever_the_token(world: ServiceWorld) -> None:
    _, task = claimed(world)
    other = OrgId("other")
    with pytest.raises(NotFound):
        tasks.complete(world.services, other, task.task_execution_id, lease_token=task.lease_token, output=None)
    assert world.complete(task) > 0


# --- leases and heartbeats ----------------------------------------------------------------------


def test_a_silent_workers_attempt_fails_and_is_retried(world: ServiceWorld) -> None:
    execution, task = claimed(world, retried_task)
    world.jump(60_000)
    failed = world.events(execution)[-1].data
    assert isinstance(failed, TaskFailed)
    assert (failed.failure_type, failed.status, failed.attempt) == ("LEASE_EXPIRED", TaskStatus.PENDING, 1)
    world.jump(1_000)
    [second] = world.claim()
    assert second.attempt == 2
    assert refusal(lambda: world.complete(task)) == (409, "STALE_ATTEMPT")
    assert refusal(lambda: fail(world, task)) == (409, "STALE_ATTEMPT")
    assert refusal(lambda: heartbeat(world, task)) == (409, "STALE_ATTEMPT")
    assert world.complete(second) > 0


def test_a_lost_lease_uses_an_attempt(world: ServiceWorld) -> None:
    execution, _ = claimed(world)
    world.jump(60_000)
    assert world.tally(execution, "TASK_FAILED") == 1
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_a_heartbeat_postpones_the_end_of_the_lease(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    for _ in range(5):
        world.jump(40_000)
        assert heartbeat(world, task) is False
    assert world.tally(execution, "TASK_FAILED") == 0
    world.jump(59_999)
    assert world.tally(execution, "TASK_FAILED") == 0
    world.jump(1)
    assert world.tally(execution, "TASK_FAILED") == 1


def test_the_heartbeat_of_one_attempt_does_not_extend_the_next(world: ServiceWorld) -> None:
    execution, first = claimed(world, retried_task)
    world.jump(59_000)
    heartbeat(world, first)
    fail(world, first)
    world.settle()
    world.jump(1_000)
    world.claim()
    world.settle()
    world.jump(60_000)
    assert world.tally(execution, "TASK_FAILED") == 2


def test_the_next_attempt_knows_what_the_last_heartbeat_said(world: ServiceWorld) -> None:
    _, first = claimed(world, retried_task)
    assert first.heartbeat_details is None
    said: list[JsonValue] = [{"row": 1}, {"row": 2}]
    for details in said:
        tasks.heartbeat(
            world.services, ORG, first.task_execution_id, lease_token=first.lease_token, details=details
        )
    fail(world, first)
    world.settle()
    world.jump(1_000)
    [second] = world.claim()
    assert second.heartbeat_details == {"row": 2}


def test_details_over_the_limit_are_refused(world: ServiceWorld) -> None:
    _, task = claimed(world)
    call = partial(
        tasks.heartbeat,
        world.services,
        ORG,
        task.task_execution_id,
        lease_token=task.lease_token,
        details="x" * tasks.MAX_DETAILS_BYTES,
    )
    assert refusal(call) == (413, "PAYLOAD_TOO_LARGE")


def test_one_due_message_survives_however_often_the_lease_was_armed(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    due = world.dues()[0]
    world.jump(40_000)
    heartbeat(world, task)
    extended_to_ms = world.clock.now_ms() + 60_000
    rearmed = replace(due, rearmed_for_ms=extended_to_ms)
    for _ in range(5):  # as by wakes delivered again to other processes, whose timers know nothing of each other
        world.mail.control.append(Envelope(due, task.lease_ends_at_ms))
        world.mail.control.append(Envelope(rearmed, extended_to_ms))
    for _ in range(3):
        world.jump(40_000)
        heartbeat(world, task)
    assert world.dues() == [replace(due, rearmed_for_ms=world.clock.now_ms() + 20_000)]
    world.jump(60_000)
    assert world.tally(execution, "TASK_FAILED") == 1
    assert world.mail.control == []


def test_a_lease_that_was_extended_ends_although_every_message_about_it_is_lost(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    world.jump(40_000)
    heartbeat(world, task)
    world.jump(20_000)
    world.mail.clear()
    sweep.run(world.services)
    world.settle()
    world.jump(39_999)
    assert world.tally(execution, "TASK_FAILED") == 0
    world.jump(1)
    assert world.tally(execution, "TASK_FAILED") == 1


def test_a_due_message_that_comes_early_comes_again(world: ServiceWorld) -> None:
    """Whoever sent it may have had another clock."""
    execution, task = claimed(world)
    world.jump(40_000)
    heartbeat(world, task)
    world.jump(20_000)
    for _ in range(3):
        [early] = world.mail.control
        early.visible_at_ms = world.clock.now_ms()
        world.settle()
    world.jump(40_000)
    assert world.tally(execution, "TASK_FAILED") == 1


def test_the_due_message_of_a_reported_attempt_settles_nothing(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    world.complete(task)
    world.settle()
    length = len(world.events(execution))
    world.jump(60_000)
    assert len(world.events(execution)) == length
    assert world.mail.control == []


# --- fan-in -------------------------------------------------------------------------------------


async def fifty(driver: Driver, input: JsonValue) -> JsonValue:
    await all_of([work(driver) for _ in range(50)])
    return "all"


class LockStep:
    """Makes every reporter's n-th put wait for all the others', so that exactly one of them wins each round."""

    def __init__(self, world: ServiceWorld, reporters: int) -> None:
        conflicts = world.services.settings.append_attempts_before_inbox
        self._rounds = [Barrier(reporters - n) for n in range(conflicts)]
        self._main = get_ident()
        self._puts: dict[int, int] = {}
        self.through_the_inbox = Semaphore(0)
        self.resumed = Signal()

    def gate(self, name: str) -> None:
        me = get_ident()
        if me == self._main:
            return
        if name == "log.put":
            round_ = self._puts[me] = self._puts.get(me, -1) + 1
            self._rounds[round_].wait(_PATIENCE_S)
        if name == "directory.get":  # it asks whether its report is still in the inbox
            self.through_the_inbox.release()
            self.resumed.wait(_PATIENCE_S)


def test_fifty_tasks_that_finish_at_once_are_all_recorded_once_most_of_them_through_the_inbox() -> None:
    world = ServiceWorld()
    execution = world.begin(fifty)
    held: list[ClaimedTask] = []
    while batch := world.claim():
        held += batch
    world.settle()
    assert len(held) == 50
    steps = LockStep(world, reporters=50)
    world.seam.gate = steps.gate
    with ThreadPoolExecutor(50) as reporters:
        answers = [reporters.submit(world.complete, task, task.task_execution_id) for task in held]
        for _ in range(47):
            assert steps.through_the_inbox.acquire(timeout=_PATIENCE_S)
        assert world.tally(execution, "TASK_COMPLETED") == 3
        world.settle()
        steps.resumed.set()
        sequences = [answer.result(_PATIENCE_S) for answer in answers]
    recorded = {e.sequence: e.data for e in world.events(execution) if isinstance(e.data, TaskCompleted)}
    assert {recorded[n].task_execution_id for n in sequences} == {task.task_execution_id for task in held}
    assert len(recorded) == 50
    assert [recorded[n].output for n in sequences] == [task.task_execution_id for task in held]
    world.settle()
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    assert world.tally(execution, "WORKFLOW_RESUMED") == 1


def contend(world: ServiceWorld, execution: str, *, rounds: int = 3) -> None:
    """Let somebody else append before each of the next puts."""
    for position in range(900, 900 + rounds):
        world.seam.before("log.put", partial(_interfere, world, execution, position), nothing)


def _interfere(world: ServiceWorld, execution: str, position: int) -> None:
    command = StartTimer(position=position, fire_at_ms=10**13)
    append.transact(world.boot(), key_of(execution), lambda draft: timer.start(draft, command))


def test_a_report_that_the_resumer_never_takes_is_to_be_sent_again(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    contend(world, execution)
    with pytest.raises(Unavailable) as busy:
        world.complete(task)
    assert (busy.value.status, busy.value.retry_after_s) == (503, 1)
    assert world.tally(execution, "TASK_COMPLETED") == 0


def test_a_report_left_in_the_inbox_that_has_become_stale_is_a_conflict(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    contend(world, execution)
    key = key_of(execution)

    def lease_ends_and_the_inbox_is_drained() -> None:
        expiry = Due(org=ORG, execution_id=key.execution_id, kind=DueKind.LEASE, position=1, attempt=1)
        world.clock.advance(60_000)
        wakes.handle(world.boot(), expiry)
        inbox.drain(world.boot(), key)

    world.seam.after("control.send", lease_ends_and_the_inbox_is_drained)
    assert refusal(lambda: world.complete(task)) == (409, "STALE_ATTEMPT")
    assert world.tally(execution, "TASK_COMPLETED") == 0
    assert world.disk.items[f"inbox#{key}"] == {}


def test_the_inbox_survives_a_resumer_that_dies_before_it_empties_it(world: ServiceWorld) -> None:
    execution, task = claimed(world)
    report = reports.Completion(position=1, attempt=1, output={"big": "x" * 100})
    inbox.put(world.services, append.require(world.services, key_of(execution)), report)
    world.seam.before("directory.delete", kill)
    world.die()
    assert world.tally(execution, "TASK_COMPLETED") == 1
    world.jump(60_000)
    assert world.tally(execution, "TASK_COMPLETED") == 1
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")
    assert world.complete(task) == 5


def test_an_inbox_too_large_for_one_commit_is_drained_in_several() -> None:
    async def five(driver: Driver, input: JsonValue) -> JsonValue:
        await all_of([work(driver, retry=ONCE) for _ in range(5)])
        return None

    world = ServiceWorld(max_commit_bytes=1_000)
    execution = world.begin(five)
    world.claim()
    world.settle()
    for position in range(1, 6):
        report = reports.Completion(position=position, attempt=1, output="x" * 500)
        inbox.put(world.services, append.require(world.services, key_of(execution)), report)
    world.settle()
    assert world.tally(execution, "TASK_COMPLETED") == 5
    assert all(commit.count < 5 for commit in world.commits(execution)[-4:])
    assert world.types(execution).endswith("WORKFLOW_COMPLETED")


def test_an_execution_that_has_ended_refuses_what_is_left_in_its_inbox() -> None:
    async def race(driver: Driver, input: JsonValue) -> JsonValue:
        work(driver)
        return await work(driver)

    world = ServiceWorld()
    execution = world.begin(race)
    loser, winner = world.claim()
    world.complete(winner)
    world.settle()
    length = len(world.events(execution))
    inbox.put(
        world.services,
        append.require(world.services, key_of(execution)),
        reports.Completion(position=1, attempt=1, output=None),
    )
    world.settle()
    assert len(world.events(execution)) == length
    with pytest.raises(Conflict) as refused:
        world.complete(loser)
    assert refused.value.code == "EXECUTION_CLOSED"


def test_what_another_drain_has_taken_meanwhile_is_left_for_it_to_delete(world: ServiceWorld) -> None:
    execution, _ = claimed(world)
    key = key_of(execution)
    report = reports.Completion(position=1, attempt=1, output=None)
    inbox.put(world.services, append.require(world.services, key), report)
    other = world.boot()
    world.seam.before("log.put", lambda: inbox.drain(other, key))
    inbox.drain(world.services, key)
    assert world.tally(execution, "TASK_COMPLETED") == 1
    assert world.seam.calls.count("directory.delete") == 1
    assert world.disk.items[f"inbox#{key}"] == {}


def test_whoever_waits_for_the_inbox_reads_nothing_of_the_log_until_the_report_has_been_taken(
    world: ServiceWorld,
) -> None:
    execution, task = claimed(world)
    contend(world, execution)
    key = key_of(execution)
    read_while_waiting: list[int] = []

    def note_and_drain() -> None:
        read_while_waiting.append(world.seam.rows_read)
        if len(read_while_waiting) == 5:
            inbox.drain(world.boot(), key)
            read_while_waiting.append(world.seam.rows_read)

    world.seam.after("directory.get", *[note_and_drain] * 5)
    sequence = world.complete(task)
    assert world.events(execution)[sequence - 1].type == "TASK_COMPLETED"
    assert len(set(read_while_waiting[:5])) == 1
    assert world.seam.rows_read - read_while_waiting[5] <= 10
