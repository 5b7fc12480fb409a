"""The trace view: a log as spans (law 1: purely from the log, whoever looks and however often).

    execution ─┬─ task ─┬─ attempt      what the worker does is below this one
               │        └─ attempt
               ├─ timer, promise, operation
               └─ child ── (the child's own log: the execution that has this span for its parent)

The ids of spans derive from those of the execution and its operations, so that telling a trace twice tells nothing new. What is still
open has no end yet and is told by a later look. Nothing is told of payloads, nor of what errors say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from flowstrand.dataclass import dataclass
from flowstrand.engine import ids, trace_context
from flowstrand.engine.events import (
    ChildCompleted,
    ChildFailed,
    ChildInitiated,
    Event,
    OperationCompleted,
    OperationFailed,
    PromiseCreated,
    PromiseRejected,
    PromiseResolved,
    PromiseTimedOut,
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
    WorkflowStarted,
)
from flowstrand.engine.trace_context import TraceContext
from flowstrand.views.span import Span, SpanKind

Open: TypeAlias = dict[tuple[str, int], Span]
"""What has begun and not ended: by family and position, the span as far as it is known."""


_ATTEMPT = "attempt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an execution stands in a trace that its own log does not name.

    Attributes:
        trace_id: of the trace.
        parent_span_id: the span above it.
    """

    trace_id: str
    parent_span_id: str


def spans_of(events: Iterable[Event], place: Place | None = None) -> list[Span]:
    """The spans of one log, in the order in which they ended.

    Args:
        events: all of them, from the first on.
        place: where it stands, where its log does not say; by default the first of a trace of its own.

    Raises:
        ValueError: the first event begins no log.
    """
    telling: _Telling | None = None
    for event in events:
        if telling is None:
            telling = _Telling(event, place)
        else:
            telling.tell(event)
    return [] if telling is None else telling.spans


def place_of_child(first: Event, position: int, place: Place | None = None) -> Place:
    """Where the child at `position` stands in the trace of its parent, whose log begins with `first`."""
    telling = _Telling(first, place)
    span_id = trace_context.operation_span(telling.id, ids.CHILD, position)
    return Place(trace_id=telling.trace_id, parent_span_id=span_id)


def place_of_successor(first: Event, place: Place | None = None) -> Place:
    """Where what an execution has continued as stands: beside it, as the log of a successor has it that names a trace."""
    telling = _Telling(first, place)
    return Place(trace_id=telling.trace_id, parent_span_id=telling.parent)


class _Telling:
    """What has been told so far, and what is open."""

    def __init__(self, first: Event, place: Place | None) -> None:
        data = first.data
        if not isinstance(data, WorkflowStarted | TaskCreated):
            raise ValueError(f"no log begins with {first.type}")
        self.spans: list[Span] = []
        self._open: Open = {}
        self._latest = first
        self._trace: TraceContext | None = data.trace
        if isinstance(data, WorkflowStarted):
            self.id, self._root = (
                data.workflow_execution_id,
                trace_context.execution_span(data.workflow_execution_id),
            )
        else:
            self.id, self._root = data.task_execution_id, trace_context.task_span(data.task_execution_id)
        derived = Place(trace_id=trace_context.trace_id_of(self.id), parent_span_id="")
        above = place or derived
        self.trace_id = data.trace.trace_id if data.trace else above.trace_id
        self.parent = data.trace.span_id if data.trace else above.parent_span_id
        if isinstance(data, WorkflowStarted):
            self._begin(first, "", 0, self._root, f"workflow {data.kind}", SpanKind.SERVER, parent=self.parent)
        else:
            self._begin_task(first, data, parent=self.parent)

    def tell(self, event: Event) -> None:
        """The next event."""
        match event.data:
            case TaskCreated() | TaskStarted() | TaskCompleted() | TaskFailed() | TaskCancelled():
                self._task(event)
            case TimerStarted() | TimerFired() | TimerCancelled():
                self._timer(event)
            case PromiseCreated() | PromiseResolved() | PromiseRejected() | PromiseTimedOut():
                self._promise(event)
            case ChildInitiated() | ChildCompleted() | ChildFailed():
                self._child(event)
            case OperationCompleted() | OperationFailed():
                self._operation(event)
            case WorkflowCompleted():
                self._end(event, "", 0)
            case WorkflowFailed(failure_type=failure_type):
                self._end(event, "", 0, failure_type)
            case WorkflowCancelled():
                self._end(event, "", 0, "CANCELLED")
            case _:
                pass
        self._latest = event

    # --- by family ------------------------------------------------------------------------------

    def _task(self, event: Event) -> None:
        match event.data:
            case TaskCreated() as created:
                self._begin_task(event, created, parent=self._root)
            case TaskStarted() as started:
                self._begin_attempt(event, started)
            case TaskCompleted(position=position):
                self._end(event, _ATTEMPT, position)
                self._end(event, ids.TASK, position)
            case TaskFailed() as failed:
                self._end(event, _ATTEMPT, failed.position, failed.error.type)
                if failed.status is TaskStatus.FAILED:
                    self._end(event, ids.TASK, failed.position, failed.failure_type)
            case TaskCancelled(position=position):
                self._end(event, _ATTEMPT, position, "CANCELLED")
                self._end(event, ids.TASK, position, "CANCELLED")
            case _:
                pass

    def _timer(self, event: Event) -> None:
        match event.data:
            case TimerStarted(position=position, is_timeout=is_timeout):
                self._begin_operation(event, ids.TIMER, position, "timeout" if is_timeout else "timer")
            case TimerFired(position=position):
                self._end(event, ids.TIMER, position)
            case TimerCancelled(position=position):
                self._end(event, ids.TIMER, position)  # code that wants no timer any more has not failed
            case _:
                pass

    def _promise(self, event: Event) -> None:
        match event.data:
            case PromiseCreated(position=position, name=name):
                self._begin_operation(event, ids.PROMISE, position, f"promise {name}")
            case PromiseResolved(position=position):
                self._end(event, ids.PROMISE, position)
            case PromiseRejected(position=position, error=error):
                self._end(event, ids.PROMISE, position, error.type)
            case PromiseTimedOut(position=position):
                self._end(event, ids.PROMISE, position, "TIMEOUT")
            case _:
                pass

    def _child(self, event: Event) -> None:
        match event.data:
            case ChildInitiated() as initiated:
                self._begin_operation(
                    event,
                    ids.CHILD,
                    initiated.position,
                    f"child {initiated.kind}",
                    **{"flowstrand.child.id": initiated.child_workflow_id},
                )
            case ChildCompleted(position=position):
                self._end(event, ids.CHILD, position)
            case ChildFailed(position=position, failure_type=failure_type):
                self._end(event, ids.CHILD, position, failure_type)
            case _:
                pass

    def _operation(self, event: Event) -> None:
        """A `ctx.run`: only its end is in the log, and what came before it is the earliest that it can have begun."""
        data = event.data
        assert isinstance(data, OperationCompleted | OperationFailed)
        if data.name.startswith("patch:"):
            return
        self._begin_operation(self._latest, ids.OPERATION, data.index, f"run {data.name}")
        failure = data.error.type if isinstance(data, OperationFailed) else None
        self._end(event, ids.OPERATION, data.index, failure)

    # --- spans ----------------------------------------------------------------------------------

    def _begin_task(self, event: Event, created: TaskCreated, *, parent: str) -> None:
        self._begin(
            event,
            ids.TASK,
            created.position,
            trace_context.task_span(created.task_execution_id),
            f"task {created.kind}",
            SpanKind.PRODUCER,
            parent=parent,
            **{"flowstrand.task.id": created.task_execution_id, "flowstrand.queue": created.queue},
        )

    def _begin_attempt(self, event: Event, started: TaskStarted) -> None:
        task_id, attempt = started.task_execution_id, started.attempt
        ids_of_it: dict[str, str | int] = {"flowstrand.task.id": task_id, "flowstrand.task.attempt": attempt}
        self._begin(
            event,
            _ATTEMPT,
            started.position,
            trace_context.attempt_span(task_id, attempt),
            f"attempt {attempt} of {started.kind}",
            SpanKind.CONSUMER,
            parent=trace_context.task_span(task_id),
            **ids_of_it,
        )

    def _begin_operation(
        self, event: Event, family: str, position: int, name: str, **attributes: str | int
    ) -> None:
        span_id = trace_context.operation_span(self.id, family, position)
        self._begin(event, family, position, span_id, name, SpanKind.INTERNAL, parent=self._root, **attributes)

    def _begin(
        self,
        event: Event,
        family: str,
        position: int,
        span_id: str,
        name: str,
        kind: SpanKind,
        *,
        parent: str,
        **attributes: str | int,
    ) -> None:
        span = Span(
            trace_id=self.trace_id,
            span_id=span_id,
            parent_span_id=parent,
            name=name,
            kind=kind,
            start_ms=_at(event),
            end_ms=_at(event),
            attributes={
                "flowstrand.execution.id": self.id,
                "flowstrand.sequence": event.sequence,
                **attributes,
            },
            trace_state=self._trace.tracestate if self._trace else None,
        )
        self._open[family, position] = span

    def _end(self, event: Event, family: str, position: int, failure: str | None = None) -> None:
        found = self._open.pop((family, position), None)
        if found is not None:
            self.spans.append(replace(found, end_ms=max(_at(event), found.start_ms), failure=failure))


def _at(event: Event) -> int:
    """When it happened, also where it was copied from the log of another execution."""
    return event.timestamp_ms if event.happened_at_ms is None else event.happened_at_ms
