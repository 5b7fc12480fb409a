"""The trace view of a log, event by event: what begins a span, what ends it and how, and that nothing of a payload is in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowstrand.engine import trace_context
from flowstrand.engine.events import (
    ChildFailed,
    Event,
    EventData,
    EventType,
    OperationFailed,
    PromiseCreated,
    PromiseRejected,
    PromiseTimedOut,
    RetryPolicy,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskStarted,
    TaskStatus,
    TimerCancelled,
    TimerStarted,
    WorkflowCancelled,
    WorkflowStarted,
    WorkflowStatus,
)
from flowstrand.engine.schema import EpochMs
from flowstrand.engine.trace_context import TraceContext
from flowstrand.views.span import Span, SpanKind, otlp_request
from flowstrand.views.trace import Place, spans_of
from tests.unit.every_event import AT_MS, ERROR, data_of

CALLER = TraceContext(traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate="a=1")


def log(*data: EventData, apart_ms: int = 10) -> list[Event]:
    """A log of these events."""
    return [
        Event(sequence=sequence, timestamp_ms=AT_MS + apart_ms * (sequence - 1), data=item)
        for sequence, item in enumerate(data, start=1)
    ]


def started(**more: Any) -> WorkflowStarted:
    fields: dict[str, Any] = {"workflow_execution_id": "01X", "kind": "order", "status": WorkflowStatus.PENDING}
    return WorkflowStarted(**fields, input={"secret": "canary"}, queue="q", **more)


def told(*data: EventData) -> dict[str, Span]:
    """The spans of an execution that did these things, by name."""
    return {span.name: span for span in spans_of(log(started(), *data))}


def of(event_type: EventType, cls: type[Any]) -> Any:
    data = data_of(event_type)
    assert isinstance(data, cls)
    return data


def test_every_event_can_be_told() -> None:
    # An operation either completes or fails, and the sample of each is of the same one.
    apart = {EventType.WORKFLOW_STARTED, EventType.OPERATION_FAILED}
    others = [data_of(event_type) for event_type in EventType if event_type not in apart]

    spans = spans_of(log(data_of(EventType.WORKFLOW_STARTED), *others))

    assert {span.trace_id for span in spans} == {trace_context.trace_id_of("01X")}
    assert len({span.span_id for span in spans}) == len(spans)
    assert json.loads(json.dumps(otlp_request(spans, service="s")))["resourceSpans"]


def test_a_log_begins_with_a_beginning() -> None:
    with pytest.raises(ValueError, match="no log begins"):
        spans_of(log(data_of(EventType.TIMER_FIRED)))


def test_nothing_is_told_of_nothing() -> None:
    assert spans_of([]) == []


def test_what_is_open_is_not_told() -> None:
    assert told(of(EventType.TIMER_STARTED, TimerStarted)) == {}


def test_an_execution_that_is_cancelled_says_so() -> None:
    [span] = told(of(EventType.WORKFLOW_CANCELLED, WorkflowCancelled)).values()

    assert (span.name, span.failure, span.kind) == ("workflow order", "CANCELLED", SpanKind.SERVER)
    assert (span.start_ms, span.end_ms) == (AT_MS, AT_MS + 10)


def test_a_timer_that_is_cancelled_has_not_failed() -> None:
    cancelled = of(EventType.TIMER_CANCELLED, TimerCancelled)
    [span] = told(of(EventType.TIMER_STARTED, TimerStarted), cancelled).values()

    assert (span.name, span.failure) == ("timer", None)


@pytest.mark.parametrize(
    ("event_type", "cls", "failure"),
    [
        (EventType.PROMISE_REJECTED, PromiseRejected, ERROR.type),
        (EventType.PROMISE_TIMED_OUT, PromiseTimedOut, "TIMEOUT"),
        (EventType.PROMISE_RESOLVED, object, None),
    ],
)
def test_a_promise_lasts_until_it_is_settled(event_type: EventType, cls: type[Any], failure: str | None) -> None:
    [span] = told(of(EventType.PROMISE_CREATED, PromiseCreated), of(event_type, cls)).values()

    assert (span.name, span.failure) == ("promise approval", failure)


def test_an_operation_begins_no_earlier_than_what_came_before_it() -> None:
    spans = told(of(EventType.TIMER_STARTED, TimerStarted), of(EventType.OPERATION_FAILED, OperationFailed))

    span = spans["run price"]
    assert (span.start_ms, span.end_ms, span.failure) == (AT_MS + 10, AT_MS + 20, ERROR.type)


def test_a_child_that_failed_says_how() -> None:
    failed = of(EventType.CHILD_WORKFLOW_FAILED, ChildFailed)
    [span] = told(data_of(EventType.CHILD_WORKFLOW_INITIATED), failed).values()

    assert (span.name, span.failure) == ("child pack", failed.failure_type)


def test_a_task_that_is_cancelled_takes_its_attempt_along() -> None:
    spans = told(
        of(EventType.TASK_CREATED, TaskCreated),
        of(EventType.TASK_STARTED, TaskStarted),
        of(EventType.TASK_CANCELLED, TaskCancelled),
    )

    assert {span.name: span.failure for span in spans.values()} == {
        "attempt 2 of charge": "CANCELLED",
        "task charge": "CANCELLED",
    }


def test_a_standalone_task_is_the_root_of_its_trace() -> None:
    common: dict[str, Any] = {"task_execution_id": "01X.t0", "position": 0, "kind": "charge", "max_retries": 0}
    begun = TaskCreated(
        **common,
        status=TaskStatus.PENDING,
        execution_count=0,
        input=1,
        queue="q",
        retry=RetryPolicy(),
        trace=CALLER,
    )
    run: dict[str, Any] = {**common, "execution_count": 1, "attempt": 1}
    claimed = TaskStarted(**run, status=TaskStatus.RUNNING, lease_ends_at_ms=EpochMs(AT_MS + 60_000))
    done = TaskCompleted(**run, status=TaskStatus.COMPLETED, output="canary")

    attempt, task = spans_of(log(begun, claimed, done))

    assert (task.name, task.parent_span_id, task.trace_id) == ("task charge", CALLER.span_id, CALLER.trace_id)
    assert (attempt.parent_span_id, attempt.trace_state) == (task.span_id, "a=1")


def test_a_place_counts_where_the_log_names_no_trace() -> None:
    place = Place(trace_id="f" * 32, parent_span_id="e" * 16)
    end = data_of(EventType.WORKFLOW_CANCELLED)

    [placed] = spans_of(log(started(), end), place)
    [own] = spans_of(log(started(trace=CALLER), end), place)

    assert (placed.trace_id, placed.parent_span_id) == (place.trace_id, place.parent_span_id)
    assert (own.trace_id, own.parent_span_id) == (CALLER.trace_id, CALLER.span_id)


def test_no_payload_and_no_message_is_told() -> None:
    others = [data_of(event_type) for event_type in EventType if event_type is not EventType.WORKFLOW_STARTED]

    text = json.dumps(otlp_request(spans_of(log(started(metadata={"m": "canary"}), *others)), service="s"))

    assert "canary" not in text
    assert f'"{ERROR.message}"' not in text
