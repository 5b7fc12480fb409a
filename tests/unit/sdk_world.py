"""A workflow on the real driver, with a log kept by hand: deliver what happened, look at what the code asked for."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from flowstrand.engine.events import (
    ChildCompleted,
    ErrorInfo,
    Event,
    EventData,
    OperationCompleted,
    OperationFailed,
    TaskCompleted,
    TaskFailed,
    TaskStatus,
    TimerFired,
    WorkflowStarted,
    WorkflowStatus,
)
from flowstrand.engine.replay.commands import Command, ScheduleTask, StartChild, StartTimer
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.replay.outcome import Outcome
from flowstrand.engine.schema import EpochMs
from flowstrand.jsonvalue import JsonValue
from flowstrand.sdk.workflow import WorkflowDefinition

EXECUTION = "01JD0000000000000000000000"
START_MS = 1_700_000_000_000


class Strand:
    """One execution: `log` holds all that was delivered, one second apart."""

    def __init__(self, definition: WorkflowDefinition[Any, Any], input: JsonValue = None) -> None:
        self.definition = definition
        self.driver = Driver(definition)
        self.log: list[Event] = []
        self.deliver(
            WorkflowStarted(
                workflow_execution_id=EXECUTION,
                kind=definition.kind,
                status=WorkflowStatus.PENDING,
                input=input,
                queue="executions-queue",
            )
        )

    def deliver(self, data: EventData) -> None:
        sequence = len(self.log) + 1
        self.log.append(Event(sequence=sequence, timestamp_ms=START_MS + 1_000 * sequence, data=data))
        self.driver.deliver(self.log[-1])

    def replayed(self) -> Driver:
        """A new driver that has been delivered the same log."""
        driver = Driver(self.definition)
        for event in self.log:
            driver.deliver(event, replaying=True)
        return driver

    @property
    def commands(self) -> list[Command]:
        return self.driver.unrecorded()

    @property
    def outcome(self) -> Outcome:
        return self.driver.outcome()

    def task(self, position: int) -> ScheduleTask:
        command = next(c for c in self.commands if c.position == position)
        assert isinstance(command, ScheduleTask)
        return command

    def timer(self, position: int) -> StartTimer:
        command = next(c for c in self.commands if c.position == position)
        assert isinstance(command, StartTimer)
        return command

    def child(self, position: int) -> StartChild:
        command = next(c for c in self.commands if c.position == position)
        assert isinstance(command, StartChild)
        return command

    def complete_task(self, position: int, output: JsonValue) -> None:
        self.deliver(
            TaskCompleted(
                task_execution_id=f"{EXECUTION}.t{position}",
                position=position,
                kind="any",
                status=TaskStatus.COMPLETED,
                execution_count=1,
                max_retries=0,
                attempt=1,
                output=output,
            )
        )

    def fail_task(self, position: int, message: str) -> None:
        self.deliver(
            TaskFailed(
                task_execution_id=f"{EXECUTION}.t{position}",
                position=position,
                kind="any",
                status=TaskStatus.FAILED,
                execution_count=1,
                max_retries=0,
                attempt=1,
                error=ErrorInfo(type="ValueError", message=message),
                failure_type="ERROR",
            )
        )

    def fire_timer(self, position: int) -> None:
        self.deliver(
            TimerFired(timer_id=f"{EXECUTION}.m{position}", position=position, fire_at_ms=EpochMs(START_MS))
        )

    def complete_child(self, position: int, output: JsonValue) -> None:
        self.deliver(
            ChildCompleted(
                child_workflow_id=f"{EXECUTION}.c{position}",
                position=position,
                name="any",
                kind="any",
                status=WorkflowStatus.COMPLETED,
                output=output,
            )
        )

    async def run_operation(self, index: int) -> None:
        """Execute a pending `ctx.run` function off the driver, and deliver what it returned or raised."""
        operation = next(o for o in self.driver.pending_operations() if o.index == index)
        id = f"{EXECUTION}.o{index}"
        try:
            result = operation.function()
            if isinstance(result, Awaitable):
                result = await result
        except Exception as error:
            info = ErrorInfo(type=type(error).__name__, message=str(error))
            self.deliver(OperationFailed(operation_id=id, index=index, name=operation.name, error=info))
            return
        self.deliver(OperationCompleted(operation_id=id, index=index, name=operation.name, result=result))
