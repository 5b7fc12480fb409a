"""The closed set of events: one name per fact, everywhere, one dataclass per name.

Every event's data holds all that any view of it needs (law 1), so that a view is a pure function of the event.
"""

from flowstrand.engine.events.child import (
    ChildCancellationFailed,
    ChildCancellationRequested,
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    ChildStarted,
)
from flowstrand.engine.events.control import CancellationRequested, RetryRequested
from flowstrand.engine.events.event import Event, EventData, data_class_of
from flowstrand.engine.events.operation import OperationCompleted, OperationFailed
from flowstrand.engine.events.promise import PromiseCreated, PromiseRejected, PromiseResolved, PromiseTimedOut
from flowstrand.engine.events.signal import SignalReceived
from flowstrand.engine.events.state import StateCleared, StateSet
from flowstrand.engine.events.stream import StreamData, StreamError, StreamProgress, StreamToken
from flowstrand.engine.events.task import TaskCancelled, TaskCompleted, TaskCreated, TaskFailed, TaskStarted
from flowstrand.engine.events.timer import TimerCancelled, TimerFired, TimerStarted
from flowstrand.engine.events.vocabulary import (
    ErrorInfo,
    EventType,
    Family,
    ParentClosePolicy,
    ParentRef,
    RetryOf,
    RetryPolicy,
    SuspendType,
    TaskStatus,
    WaitGroup,
    WorkflowStatus,
)
from flowstrand.engine.events.workflow import (
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowResumed,
    WorkflowStarted,
    WorkflowSuspended,
)

__all__ = [name for name in dir() if name[0].isupper()] + ["data_class_of"]
