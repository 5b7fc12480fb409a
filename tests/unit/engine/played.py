"""`Played`: workflow code on the real driver, with a log kept by hand."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from flowstrand.engine.events import (
    CancellationRequested,
    ChildCancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ErrorInfo,
    Event,
    EventData,
    OperationCompleted,
    OperationFailed,
    PromiseCreated,
    RetryPolicy,
    SignalReceived,
    StateCleared,
    StateSet,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFailed,
    TaskStatus,
    TimerCancelled,
    TimerFired,
    TimerStarted,
    WaitGroup,
    WorkflowStarted,
    WorkflowStatus,
    WorkflowSuspended,
)
from flowstrand.engine.replay.commands import (
    CancelChild,
    CancelTask,
    CancelTimer,
    ClearState,
    Command,
    CreatePromise,
    ScheduleTask,
    SetState,
    StartChild,
    StartTimer,
)
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.futures import Future
from flowstrand.engine.replay.outcome import Outcome, Raised, Returned, Waiting
from flowstrand.engine.replay.program import PLAIN_WIRE
from flowstrand.engine.schema import EpochMs
from flowstrand.jsonvalue import JsonValue

Code = Callable[[Driver], Coroutine[Any, None, Any]]

EXECUTION = "01X"
START_MS = 1_795_435_200_000
ERROR = ErrorInfo(type="ValueError", message="no")
_RETRY = RetryPolicy(max_retries=0)


class CodeProgram:
    """A `Program` of one function."""

    def __init__(self, code: Code) -> None:
        self._code = code

    wire = PLAIN_WIRE

    @property
    def kind(self) -> str:
        return "code"

    def begin(self, driver: Driver, input: JsonValue) -> Coroutine[Any, None, JsonValue]:
        return self._code(driver)


class Played:
    """One execution. `log` holds all that was delivered, one second apart."""

    def __init__(self, code: Code, log: Sequence[Event] = ()) -> None:
        self.driver = Driver(CodeProgram(code))
        self.log: list[Event] = []
        for event in log:
            self.deliver(event.data, replaying=True)
        if not log:
            self.deliver(started())

    def deliver(self, *data: EventData, replaying: bool = False) -> None:
        """Append and deliver, one at a time."""
        for one in data:
            sequence = len(self.log) + 1
            self.log.append(Event(sequence=sequence, timestamp_ms=START_MS + 1_000 * sequence, data=one))
            self.driver.deliver(self.log[-1], replaying=replaying)

    def record(self) -> None:
        """Append and deliver what the code has asked for, and that it waits."""
        horizon = self.driver.delivered_to
        self.deliver(*[recorded(command) for command in self.driver.unrecorded()])
        outcome = self.driver.outcome()
        if isinstance(outcome, Waiting):
            self.deliver(suspended(horizon, *outcome.groups))

    @property
    def asked(self) -> list[Command]:
        return self.driver.unrecorded()

    @property
    def outcome(self) -> Outcome:
        return self.driver.outcome()

    @property
    def output(self) -> JsonValue:
        """What the code returned."""
        outcome = self.outcome
        assert isinstance(outcome, Returned), outcome
        return outcome.output

    @property
    def failure(self) -> Raised:
        """What the code raised."""
        outcome = self.outcome
        assert isinstance(outcome, Raised), outcome
        return outcome

    @property
    def groups(self) -> list[str]:
        """What the code waits for, as the log records it; `!` marks groups that failures do not release."""
        outcome = self.outcome
        assert isinstance(outcome, Waiting), outcome
        return [group.operations + ("!" if group.settled else "") for group in outcome.groups]


def schedule(driver: Driver, kind: str = "task") -> Future:
    """Ask for a task."""
    return driver.schedule_task(kind, None, queue="default", retry=_RETRY)


def started() -> WorkflowStarted:
    return WorkflowStarted(
        workflow_execution_id=EXECUTION, kind="code", status=WorkflowStatus.PENDING, input=None, queue="default"
    )


def suspended(horizon: int, *groups: WaitGroup) -> WorkflowSuspended:
    return WorkflowSuspended(
        workflow_execution_id=EXECUTION,
        kind="code",
        status=WorkflowStatus.WAITING,
        waits=groups,
        horizon=horizon,
    )


def recorded(command: Command) -> EventData:
    """The event that records a command."""
    match command:
        case ScheduleTask(kind=kind):
            return created(command.position, kind)
        case StartTimer(fire_at_ms=fire_at_ms):
            return TimerStarted(
                timer_id=f"{EXECUTION}.m{command.position}",
                position=command.position,
                fire_at_ms=EpochMs(fire_at_ms),
            )
        case StartChild(kind=kind, name=name):
            return ChildInitiated(
                child_workflow_id=f"{EXECUTION}.c{command.position}",
                position=command.position,
                name=name,
                kind=kind,
                status=WorkflowStatus.PENDING,
                input=None,
                queue="default",
            )
        case CreatePromise(position=position, name=name, key=key):
            return PromiseCreated(promise_id=f"{EXECUTION}.p{position}", position=position, name=name, key=key)
        case SetState(position=position, key=key, value=value):
            return StateSet(position=position, key=key, value=value)
        case ClearState(position=position, key=key):
            return StateCleared(position=position, key=key)
        case CancelTask(position=position, target=target):
            return task_cancelled(target, command=position)
        case CancelTimer(position=position, target=target):
            return timer_cancelled(target, command=position)
        case CancelChild(position=position, target=target):
            return child_cancellation_requested(target, command=position)


def child_cancellation_requested(position: int, *, command: int | None = None) -> ChildCancellationRequested:
    return ChildCancellationRequested(
        child_workflow_id=f"{EXECUTION}.c{position}",
        position=position,
        name="child",
        kind="child",
        status=WorkflowStatus.CANCELLING,
        command=command,
    )


def created(position: int, kind: str = "task") -> TaskCreated:
    return TaskCreated(
        task_execution_id=f"{EXECUTION}.t{position}",
        position=position,
        kind=kind,
        status=TaskStatus.PENDING,
        execution_count=0,
        max_retries=0,
        input=None,
        queue="default",
        retry=_RETRY,
    )


def completed(position: int, output: JsonValue = None) -> TaskCompleted:
    return TaskCompleted(
        task_execution_id=f"{EXECUTION}.t{position}",
        position=position,
        kind="task",
        status=TaskStatus.COMPLETED,
        execution_count=1,
        max_retries=0,
        attempt=1,
        output=output,
    )


def failed(position: int, status: TaskStatus = TaskStatus.FAILED) -> TaskFailed:
    return TaskFailed(
        task_execution_id=f"{EXECUTION}.t{position}",
        position=position,
        kind="task",
        status=status,
        execution_count=1,
        max_retries=0,
        attempt=1,
        error=ERROR,
        failure_type="ERROR",
    )


def task_cancelled(position: int, *, command: int | None = None) -> TaskCancelled:
    return TaskCancelled(
        task_execution_id=f"{EXECUTION}.t{position}",
        position=position,
        kind="task",
        status=TaskStatus.CANCELLED,
        execution_count=0,
        max_retries=0,
        command=command,
    )


def fired(position: int) -> TimerFired:
    return TimerFired(timer_id=f"{EXECUTION}.m{position}", position=position, fire_at_ms=EpochMs(START_MS))


def timer_cancelled(position: int, *, command: int | None = None) -> TimerCancelled:
    return TimerCancelled(
        timer_id=f"{EXECUTION}.m{position}", position=position, fire_at_ms=EpochMs(START_MS), command=command
    )


def child_completed(position: int, output: JsonValue = None) -> ChildCompleted:
    return ChildCompleted(
        child_workflow_id=f"{EXECUTION}.c{position}",
        position=position,
        name="child",
        kind="child",
        status=WorkflowStatus.COMPLETED,
        output=output,
    )


def child_failed(position: int, failure_type: str = "ERROR") -> ChildFailed:
    return ChildFailed(
        child_workflow_id=f"{EXECUTION}.c{position}",
        position=position,
        name="child",
        kind="child",
        status=WorkflowStatus.FAILED,
        error=ERROR,
        failure_type=failure_type,
    )


def signal(name: str, value: JsonValue = None) -> SignalReceived:
    return SignalReceived(name=name, value=value)


def cancellation_requested(reason: str | None = None) -> CancellationRequested:
    return CancellationRequested(reason=reason, cascade=True)


def operation_completed(index: int, name: str, result: JsonValue = None) -> OperationCompleted:
    return OperationCompleted(operation_id=f"{EXECUTION}.o{index}", index=index, name=name, result=result)


def operation_failed(index: int, name: str) -> OperationFailed:
    return OperationFailed(operation_id=f"{EXECUTION}.o{index}", index=index, name=name, error=ERROR)
