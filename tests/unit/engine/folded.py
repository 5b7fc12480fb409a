"""States and drafts for tests of the core: an execution brought to where a test wants it by decisions alone."""

from __future__ import annotations

from flowstrand.engine.decide import child, task, timer, turn
from flowstrand.engine.decide.start import start_workflow
from flowstrand.engine.events import ErrorInfo, Event, EventData, ParentRef, RetryPolicy, SuspendType, WaitGroup
from flowstrand.engine.evolve import Draft, fold
from flowstrand.engine.replay.commands import ScheduleTask, StartChild, StartTimer
from flowstrand.engine.replay.outcome import Waiting
from flowstrand.engine.state import ExecutionState

NOW_MS = 1_795_435_200_000
EXECUTION = "01JD0000000000000000000000"
ERROR = ErrorInfo(type="ValueError", message="no luck")
PARENT = ParentRef(workflow_execution_id="01PARENT", position=4)
RETRY = RetryPolicy(max_retries=2, initial_ms=1_000, jitter=0)
LEASE_MS = 60_000


def schedule(position: int, *, queue: str = "default", retry: RetryPolicy = RETRY) -> ScheduleTask:
    return ScheduleTask(position=position, kind="work", input={"n": position}, queue=queue, retry=retry)


def timer_at(position: int, fire_at_ms: int = NOW_MS + 1_000) -> StartTimer:
    return StartTimer(position=position, fire_at_ms=fire_at_ms)


def start_child(position: int) -> StartChild:
    return StartChild(position=position, kind="child", name="the-child", input=None, queue="default")


def begun(parent: ParentRef | None = None) -> ExecutionState:
    """After sequence 1."""
    started = start_workflow(EXECUTION, kind="order", input={"a": 1}, queue="default", parent=parent)
    return fold(None, [Event(sequence=1, timestamp_ms=NOW_MS, data=started)])


def drafted(*, parent: ParentRef | None = None, now_ms: int = NOW_MS) -> Draft:
    """A decision behind sequence 1."""
    return Draft(begun(parent), now_ms)


def behind(draft: Draft, *, after_ms: int = 0) -> Draft:
    """A new decision behind what `draft` has emitted, some time later."""
    return Draft(draft.state, draft.now_ms + after_ms)


def working(*, parent: ParentRef | None = None) -> Draft:
    """Task 1 (attempt 1 running), timer 2, child 3 (not started) and task 4 (pending) are open; the code waits for all."""
    draft = drafted(parent=parent)
    turn.issue(draft, [schedule(1), timer_at(2), start_child(3), schedule(4)], 0)
    wait(draft, frozenset({1, 2, 3, 4}))
    assert task.claim(draft, 1, attempt=1, worker_id="w", lease_ms=LEASE_MS)
    return behind(draft)


def wait(draft: Draft, *groups: frozenset[int], settled: bool = False, horizon: int | None = None) -> None:
    """Close a turn with a wait for any of the groups."""
    waits = tuple(WaitGroup.of(group, settled=settled) for group in groups)
    seen = draft.first_sequence - 1 if horizon is None else horizon
    turn.close(draft, Waiting(waits, SuspendType.TASK), seen, "w")


def settle_everything(draft: Draft) -> None:
    """Settle all that `working` opened but task 4."""
    task.complete(draft, 1, attempt=1, output=None)
    draft.now_ms += 1_000
    assert timer.fire(draft, 2)
    assert child.started(draft, 3)


def names(draft: Draft) -> list[str]:
    """What the decision emits."""
    return [data.TYPE.value for data in draft.events]


def only(draft: Draft) -> EventData:
    """The one event of a decision."""
    [data] = draft.events
    return data
