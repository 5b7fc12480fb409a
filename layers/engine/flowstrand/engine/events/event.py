"""`Event`: one row of a log, and the closed union of what it can hold."""

from __future__ import annotations

import typing
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine.events import (
    child,
    control,
    operation,
    promise,
    signal,
    state,
    stream,
    task,
    timer,
    workflow,
)
from flowstrand.engine.events.vocabulary import TERMINAL_TYPES, EventType, Family, TaskStatus
from flowstrand.engine.ids import ROOT

WorkflowEvent: TypeAlias = (
    workflow.WorkflowStarted
    | workflow.WorkflowSuspended
    | workflow.WorkflowResumed
    | workflow.WorkflowCompleted
    | workflow.WorkflowFailed
    | workflow.WorkflowCancelled
)
TaskEvent: TypeAlias = (
    task.TaskCreated | task.TaskStarted | task.TaskCompleted | task.TaskFailed | task.TaskCancelled
)
TimerEvent: TypeAlias = timer.TimerStarted | timer.TimerFired | timer.TimerCancelled
PromiseEvent: TypeAlias = (
    promise.PromiseCreated | promise.PromiseResolved | promise.PromiseRejected | promise.PromiseTimedOut
)
ChildEvent: TypeAlias = (
    child.ChildInitiated
    | child.ChildStarted
    | child.ChildCompleted
    | child.ChildFailed
    | child.ChildCancellationRequested
    | child.ChildCancellationFailed
)
OperationEvent: TypeAlias = operation.OperationCompleted | operation.OperationFailed
StateEvent: TypeAlias = state.StateSet | state.StateCleared
ControlEvent: TypeAlias = control.CancellationRequested | control.RetryRequested
StreamEvent: TypeAlias = stream.StreamToken | stream.StreamProgress | stream.StreamData | stream.StreamError
EventData: TypeAlias = (
    WorkflowEvent
    | TaskEvent
    | TimerEvent
    | PromiseEvent
    | signal.SignalReceived
    | ChildEvent
    | OperationEvent
    | StateEvent
    | ControlEvent
    | StreamEvent
)

_CLASSES: dict[EventType, type[EventData]] = {cls.TYPE: cls for cls in typing.get_args(EventData)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact of one execution.

    Attributes:
        sequence: its place in the log, from 1, without gaps.
        timestamp_ms: when its commit was written, epoch milliseconds; never earlier than the event before.
        happened_at_ms: of an event copied from the log of an execution that this one is a retry of, the time that the code
            sees: when it was written there.
    """

    sequence: int
    timestamp_ms: int
    data: EventData
    happened_at_ms: int | None = None

    @property
    def type(self) -> EventType:
        """The public name of the fact."""
        return self.data.TYPE

    @property
    def family(self) -> Family:
        """What kind of thing it is about."""
        return self.data.FAMILY

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows it in its log (law 4): the end of an execution, or the permanent one of a standalone task."""
        match self.data:
            case task.TaskCompleted() | task.TaskFailed() | task.TaskCancelled() as end:
                return end.position == ROOT and end.status is not TaskStatus.PENDING
            case _:
                return self.type in TERMINAL_TYPES


def data_class_of(event_type: EventType) -> type[EventData]:
    """The dataclass that holds the data of events of this type."""
    return _CLASSES[event_type]
