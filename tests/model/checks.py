"""What must hold of every log once the world has come to rest. Each check names its law."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flowstrand.engine import ids
from flowstrand.engine.events import (
    CancellationRequested,
    ChildCancellationFailed,
    ChildCancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
    ErrorInfo,
    Event,
    EventType,
    OperationCompleted,
    OperationFailed,
    ParentClosePolicy,
    PromiseCreated,
    PromiseRejected,
    PromiseResolved,
    PromiseTimedOut,
    RetryRequested,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStarted,
    TaskStatus,
    TimerCancelled,
    TimerFired,
    TimerStarted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowResumed,
    WorkflowStarted,
    WorkflowSuspended,
)
from flowstrand.engine.events.vocabulary import TERMINAL_TYPES, FailureType
from flowstrand.engine.evolve import evolve
from flowstrand.engine.ids import ExecutionId
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.outcome import Cancelled, Continued, Raised, Returned
from flowstrand.engine.state import ExecutionState
from flowstrand.log.packing import unpack_events
from flowstrand.service import payloads
from tests.model.reference import evaluate
from tests.model.violation import Violation, require
from tests.model.world import World

_BY_TURNS = (
    TaskCreated,
    TimerStarted,
    ChildInitiated,
    OperationCompleted,
    OperationFailed,
    WorkflowSuspended,
    WorkflowCompleted,
    WorkflowFailed,
)


def logs(world: World) -> dict[str, list[Event]]:
    """Every log by execution id, payloads inline."""
    services = world.processes[0]
    return {
        key.execution_id: [
            payloads.inline(services, key.org, event) for commit in commits for event in unpack_events(commit)
        ]
        for key, commits in world.disk.commits.items()
    }


def check(world: World) -> None:
    """All of it.

    Raises:
        Violation: something does not hold.
    """
    require(not world.leaks, f"law 6: a handler caught {world.leaks}")
    every = logs(world)
    for execution in [*world.started, *world.alone.started]:
        require(execution in every, f"law 2: {execution} was promised and is not there")
    for execution, events in every.items():
        try:
            if ids.is_standalone_task(execution):
                check_task_log(world, execution, events)
            else:
                check_log(world, execution, events)
        except Violation as violation:
            shown = "\n".join(f"{event.sequence} {event.data}" for event in events)
            raise Violation(f"{execution}: {violation}\n{shown}") from violation
    for events in every.values():
        check_retry(every, events)
    check_families(world, every)
    check_chains(every)
    check_cancels(world, every)
    check_answers(world, every)


def check_task_log(world: World, task: str, events: list[Event]) -> None:
    """What the log of a standalone task must look like: the task, and nothing after its permanent end."""
    check_order(events)
    created = events[0].data
    require(isinstance(created, TaskCreated) and created.task_execution_id == task, "not its own log")
    about = {TaskCreated, TaskStarted, TaskCompleted, TaskFailed, TaskCancelled}
    require({type(event.data) for event in events} <= about, "something else is in it")
    check_end(events)
    check_commands(events)
    check_tasks(events)
    check_time(events)
    cancelled = world.alone.cancelled.get(task)
    require(cancelled in {None, len(events)}, f"a cancel was answered {cancelled}")
    require(cancelled is None or isinstance(events[-1].data, TaskCancelled), "it was said to be cancelled")


def check_order(events: list[Event]) -> None:
    """Dense, and never earlier than the one before."""
    require([e.sequence for e in events] == list(range(1, len(events) + 1)), "law 2: not dense")
    stamps = [event.timestamp_ms for event in events]
    require(stamps == sorted(stamps), "time runs backwards")


def check_log(world: World, execution: str, events: list[Event]) -> None:
    """What one log must look like, whatever the others hold."""
    check_order(events)
    check_end(events)
    check_markers(events)
    check_commands(events)
    check_tasks(events)
    check_timers_and_children(events)
    check_time(events)
    check_replay(world, events)


def check_end(events: list[Event]) -> None:
    """Terminal, once, last."""
    ends = [event.sequence for event in events if event.is_terminal]
    require(ends, "law 8: stuck")
    require(ends == [len(events)], f"law 4: ends at {ends} of {len(events)}")


def check_markers(events: list[Event]) -> None:
    """RESUMED exactly where the newest of RESUMED and SUSPENDED is SUSPENDED and a wait is satisfied; nothing of a turn outside one."""
    suspended = False
    forced = is_forced(events[-1].data)
    horizon = 0
    state: ExecutionState | None = None
    for event in events:
        data = event.data
        if isinstance(data, WorkflowResumed):
            require(suspended, f"RESUMED at {event.sequence} resumes nothing")
            require(state and state.is_runnable, f"RESUMED at {event.sequence} with nothing to do")
            suspended = False
        state = evolve(state, event)
        state.is_copying = False  # what a retry begins with obeys the same rules
        if isinstance(data, TaskCancelled | TimerCancelled):
            by_turn = data.command is not None or not forced
        else:
            by_turn = isinstance(data, _BY_TURNS) and not is_forced(data)
        if by_turn:
            require(not suspended, f"{event.type} at {event.sequence} outside a turn")
        if isinstance(data, WorkflowSuspended):
            require(horizon <= data.horizon < event.sequence, f"horizon {data.horizon} at {event.sequence}")
            horizon, suspended = data.horizon, True
    require(sum(isinstance(e.data, WorkflowStarted) for e in events) == 1, "started twice")


def is_forced(end: object) -> bool:
    """Whether it is an execution's end that no turn has made: by its timeout, or because somebody asked for it."""
    if isinstance(end, WorkflowFailed):
        return end.failure_type == FailureType.TIMEOUT
    return isinstance(end, WorkflowCancelled) and end.worker_id is None


def check_commands(events: list[Event]) -> None:
    """No position and no operation index is recorded twice; no operation settles twice."""
    positions: Counter[int] = Counter()
    indices: Counter[int] = Counter()
    settled: Counter[int] = Counter()
    for event in events:
        match event.data:
            case (
                TaskCreated(position=position)
                | TimerStarted(position=position)
                | ChildInitiated(position=position)
                | PromiseCreated(position=position)
            ):
                positions[position] += 1
            case (
                TaskCancelled(position=target, command=command) | TimerCancelled(position=target, command=command)
            ):
                settled[target] += 1
                if command is not None:
                    positions[command] += 1
            case OperationCompleted(index=index) | OperationFailed(index=index):
                indices[index] += 1
            case (
                TaskCompleted(position=position)
                | TimerFired(position=position)
                | ChildCompleted(position=position)
                | PromiseResolved(position=position)
                | PromiseRejected(position=position)
                | PromiseTimedOut(position=position)
            ):
                settled[position] += 1
            case TaskFailed(position=position, status=TaskStatus.FAILED) | ChildFailed(position=position):
                settled[position] += 1
            case _:
                pass
    for name, counts in {"command": positions, "operation": indices, "settlement": settled}.items():
        require(max(counts.values(), default=1) == 1, f"{name} recorded twice: {counts}")


def check_tasks(events: list[Event]) -> None:
    """Attempts count from 1, one at a time, each started once and ended once, after the task was created."""
    attempts: dict[int, int] = {}
    running: set[int] = set()
    for event in events:
        match event.data:
            case TaskCreated(position=position):
                attempts[position] = 0
            case TaskStarted(position=position, attempt=attempt):
                require(
                    position in attempts and position not in running, f"{position} started at {event.sequence}"
                )
                require(attempt == attempts[position] + 1, f"attempt {attempt} at {event.sequence}")
                attempts[position] = attempt
                running.add(position)
            case TaskFailed(error=ErrorInfo(type="DeadlineExceeded")) as late:
                require(late.status is TaskStatus.FAILED, f"{late.position} goes on after its deadline")
                require(late.position in attempts, f"{late.position} is late before it was created")
                running.discard(late.position)
            case TaskCompleted() | TaskFailed() as end:
                require(end.position in running, f"{end.position} ended at {event.sequence} without running")
                require(end.attempt == attempts[end.position], f"attempt {end.attempt} at {event.sequence}")
                require(end.attempt <= end.max_retries + 1, f"too many attempts at {event.sequence}")
                running.discard(end.position)
            case TaskCancelled(position=position):
                require(position in attempts, f"{position} cancelled before it was created")
                running.discard(position)
            case _:
                pass
    require(not running, f"still running after the end: {running}")


def check_time(events: list[Event]) -> None:
    """Nothing is given up before its time, and no attempt begins at a deadline or later."""
    created: dict[int, tuple[int, TaskCreated]] = {}
    started: dict[int, tuple[int, TaskStarted]] = {}
    copied = copied_events(events)
    for event in events:
        at_ms = event.timestamp_ms
        match event.data:
            case TaskCreated() as data:
                created[data.position] = at_ms, data
            case TaskStarted() | TaskFailed() if event.sequence <= copied:
                pass  # it took its time in another log
            case TaskStarted() as data:
                created_ms, terms = created[data.position]
                require(at_ms < created_ms + (terms.timeout_ms or at_ms), f"started too late at {event.sequence}")
                require(
                    data.lease_ends_at_ms <= (data.ends_at_ms or data.lease_ends_at_ms), f"at {event.sequence}"
                )
                started[data.position] = at_ms, data
            case TaskFailed(failure_type="TIMEOUT") as data:
                created_ms, terms = created[data.position]
                begun_ms = started[data.position][0] if data.position in started else 0
                due_ms = {
                    "DeadlineExceeded": created_ms + (terms.timeout_ms or 0),
                    "StartToCloseTimeout": begun_ms + (terms.start_to_close_ms or 0),
                    "HeartbeatTimeout": begun_ms + (terms.heartbeat_timeout_ms or 0),
                }
                require(at_ms >= due_ms[data.error.type], f"given up too early at {event.sequence}")
            case WorkflowFailed(failure_type="TIMEOUT"):
                begun = events[0].data
                assert isinstance(begun, WorkflowStarted)
                require(begun.timeout_at_ms and at_ms >= begun.timeout_at_ms, f"too early at {event.sequence}")
            case _:
                pass


def copied_events(events: list[Event]) -> int:
    """How many events from the beginning were copied from the log of an execution that this one is a retry of."""
    return next((event.sequence for event in events if event.type is EventType.RETRY_REQUESTED), 0)


def check_retry(every: dict[str, list[Event]], events: list[Event]) -> None:
    """A retry says what it is a retry of, once, and where what was copied ends; nobody else does."""
    started = events[0].data
    asked = [event.data for event in events if isinstance(event.data, RetryRequested)]
    retry_of = started.retry_of if isinstance(started, WorkflowStarted) else None
    require(len(asked) == (retry_of is not None), f"asked {len(asked)} times to be a retry")
    if retry_of is None:
        return
    failed = every[retry_of.workflow_execution_id]
    require(isinstance(failed[-1].data, WorkflowFailed), "a retry of what has not failed")
    source = (asked[0].retried_from, asked[0].retried_from_sequence)
    require(source == (retry_of.workflow_execution_id, len(failed)), f"a retry of {source}")
    completed = _completed(failed)
    kept = _completed(events[: copied_events(events)])
    require(kept <= completed, f"completed in the copy only: {kept - completed}")


def _completed(events: list[Event]) -> set[tuple[int, int]]:
    return {(e.data.position, e.data.attempt) for e in events if isinstance(e.data, TaskCompleted)}


def check_timers_and_children(events: list[Event]) -> None:
    """Causes come before their consequences."""
    seen: set[tuple[str, int]] = set()
    timeouts: dict[int, int] = {}
    for event in events:
        match event.data:
            case TimerStarted(position=position):
                seen.add(("timer", position))
            case ChildInitiated(position=position):
                seen.add(("initiated", position))
            case ChildStarted(position=position):
                require(
                    ("initiated", position) in seen and ("child", position) not in seen, f"at {event.sequence}"
                )
                seen.add(("child", position))
            case TimerFired(position=position, fire_at_ms=fire_at_ms):
                require(("timer", position) in seen, f"a timer that nobody started fired at {event.sequence}")
                require(event.timestamp_ms >= fire_at_ms, f"fired early at {event.sequence}")
            case PromiseCreated(position=position, timeout_at_ms=timeout_at_ms):
                timeouts[position] = timeout_at_ms or 0
            case PromiseTimedOut(position=position):
                require(event.timestamp_ms >= timeouts[position], f"timed out early at {event.sequence}")
            case ChildCompleted(position=position) | ChildFailed(position=position):
                require(("child", position) in seen, f"a child that has not started ended at {event.sequence}")
            case _:
                pass


def check_replay(world: World, events: list[Event]) -> None:
    """Cold replay of the final log asks for exactly what is recorded and ends as recorded."""
    started = events[0].data
    assert isinstance(started, WorkflowStarted)
    program = world.programs.program(started.kind)
    assert program is not None
    driver = Driver(program)
    for event in events:
        driver.deliver(event, replaying=True)
    outcome, end = driver.outcome(), events[-1].data
    if is_forced(end):  # what the code would have done next is of no interest, but it must match so far
        driver.drop()
        violated = isinstance(outcome, Raised) and outcome.failure_type == FailureType.DETERMINISM_VIOLATION
        require(not violated, f"replay violates: {outcome}")
        return
    require(not driver.unrecorded(), f"replay asks for {driver.unrecorded()}")
    match outcome, end:
        case Cancelled(), WorkflowCancelled(worker_id=str()):
            pass
        case Continued(input=given), WorkflowCompleted(continued_as=str()) as completed:
            require(given == completed.continued_input, f"replay continues with {given}")
        case Returned(output=output), WorkflowCompleted(output=recorded):
            require(output == recorded, f"replay returns {output}")
        case Raised(error=error, failure_type=kind), WorkflowFailed() as failed:
            require(
                (error.type, error.message) == (failed.error.type, failed.error.message), f"replay raises {error}"
            )
            require(kind == failed.failure_type, f"replay raises {kind}")
        case _:
            raise Violation(f"replay ends with {outcome}")
    if isinstance(end, WorkflowCompleted | WorkflowFailed | WorkflowCancelled):
        ended_at = driver.finished_at or 0
        require(ended_at <= end.horizon < len(events), f"horizon {end.horizon}, but ended at {ended_at}")
    is_cancelled = any(isinstance(event.data, CancellationRequested) for event in events)
    if not world.has_branches and not is_cancelled:
        expected = evaluate(world.book.programs[started.kind], events)
        assert isinstance(end, WorkflowCompleted | WorkflowFailed)
        got = _result(end)
        require(expected == got, f"the reference says {expected}")


def _result(end: WorkflowCompleted | WorkflowFailed) -> object:
    if isinstance(end, WorkflowFailed):
        return end.error.type
    return end.output if end.continued_as is None else end.carried_signals or ()


def check_chains(every: dict[str, list[Event]]) -> None:
    """An execution that has continued has a successor, which begins with what was handed on to it, and nothing else has one."""
    successors = {execution for execution in every if execution.rpartition(".")[2].startswith("n")}
    for execution, events in every.items():
        end = events[-1].data
        if not isinstance(end, WorkflowCompleted) or end.continued_as is None:
            continue
        successors.remove(end.continued_as)
        started, *rest = [event.data for event in every[end.continued_as]]
        assert isinstance(started, WorkflowStarted)
        require(started.continued_from == execution, f"{end.continued_as} continues {started.continued_from}")
        require(started.input == end.continued_input, f"{end.continued_as} was given {started.input}")
        carried = [events[sequence - 1].data for sequence in end.carried_signals or ()]
        carried += [e.data for e in events[end.horizon :] if isinstance(e.data, CancellationRequested)]
        require(rest[: len(carried)] == carried, f"{end.continued_as} was to begin with {carried}")
    require(not successors, f"nothing has continued as {successors}")


def check_families(world: World, every: dict[str, list[Event]]) -> None:
    """Every child that was asked for has a log, begun after that, and ended before its parent says so."""
    rank = {
        (c.key.execution_id, c.sequence + n): i for i, c in enumerate(world.disk.order) for n in range(c.count)
    }
    for execution, events in every.items():
        for event in events:
            data = event.data
            if isinstance(data, ChildInitiated | ChildStarted | ChildCompleted | ChildFailed):
                child = ExecutionId(data.child_workflow_id)
                is_own = child == ids.operation_id(execution, ids.CHILD, data.position)
                require(is_own or copied_events(events), f"child {child}")
                child_log = every.get(child, [])
                require(child_log, f"{child} has no log")
                at = rank[ExecutionId(execution), event.sequence]
                if isinstance(data, ChildInitiated) and is_own:
                    require(at < rank[child, 1], f"{child} began before it was asked for")
                if isinstance(data, ChildCompleted | ChildFailed):
                    require(rank[child, len(child_log)] < at, f"{child} had not ended at {event.sequence}")


def check_cancels(world: World, every: dict[str, list[Event]]) -> None:
    """Asked at most once; whoever was asked heard of it, unless it ended by itself; its end says so where no turn had run."""
    for execution, events in every.items():
        requests = [event for event in events if isinstance(event.data, CancellationRequested)]
        require(len(requests) <= 1, f"{execution} was asked {len(requests)} times")
        require(requests or not isinstance(events[-1].data, WorkflowCancelled), f"nobody cancelled {execution}")
        for event in events:
            if isinstance(event.data, ChildCancellationRequested):
                below = every[event.data.child_workflow_id]
                asked = any(isinstance(e.data, CancellationRequested) for e in below)
                require(asked or below[-1].type in TERMINAL_TYPES, f"{below[0].data} was not told")
            require(not isinstance(event.data, ChildCancellationFailed), f"{event.data} of a child that is there")
        check_policies(events)
    for (execution, _), sequence in world.clients.cancelled.items():
        answers = [events[sequence - 1].data for events in _chain(every, execution) if sequence <= len(events)]
        asked = any(isinstance(data, CancellationRequested) for data in answers)
        require(asked, f"a cancel of {execution} was answered {sequence}")
    for promise, sequence in world.clients.settled.items():
        owner, _, position = ids.owner_of(promise)
        settling = every[owner][sequence - 1].data
        assert isinstance(settling, PromiseResolved | PromiseRejected | PromiseTimedOut)
        require(settling.position == position, f"{promise} was settled by {sequence}")


def _chain(every: dict[str, list[Event]], execution: str) -> Iterator[list[Event]]:
    """The logs from this one on to the newest that goes on from it."""
    following: str | None = execution
    while following is not None:
        yield every[following]
        end = every[following][-1].data
        following = end.continued_as if isinstance(end, WorkflowCompleted) else None


def check_policies(events: list[Event]) -> None:
    """Every child that was open at the end was asked to end, unless it was to go on."""
    state: ExecutionState | None = None
    for event in events:
        state = evolve(state, event)
    for known in state.children.values() if state else ():
        forced = known.parent_close_policy is ParentClosePolicy.TERMINATE
        require(known.is_forced or not forced, f"{known} was not terminated")
        if known.parent_close_policy is ParentClosePolicy.CANCEL:
            require(known.cancel_at is not None, f"{known} was not asked")


def check_answers(world: World, every: dict[str, list[Event]]) -> None:
    """Every report that was answered with a sequence is that event."""
    for (task, attempt, name), sequence in world.workers.answers.items():
        execution, _, position = ids.owner_of(task)
        event = every[execution][sequence - 1]
        require(event.type == EventType(name), f"{task}/{attempt} was answered {sequence}, which is {event.type}")
        data = event.data
        assert isinstance(data, TaskCompleted | TaskFailed)
        require((data.position, data.attempt) == (position, attempt), f"answered {sequence} for {task}/{attempt}")
