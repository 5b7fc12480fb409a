"""Views are pure functions of one event, and there is one of each for every type (law 1)."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import EventType
from flowstrand.engine.events.codec import public_data
from flowstrand.engine.schema import PayloadRef, payload_fields
from flowstrand.jsonvalue import JsonObject, JsonValue
from flowstrand.views.cloud_event import cloud_event
from flowstrand.views.history_item import history_item
from flowstrand.views.public_name import public_name
from flowstrand.views.snapshot import snapshot
from flowstrand.views.state_event import state_event
from flowstrand.views.stream_frame import StreamFormat, stream_frame
from tests.unit.every_event import AT_MS, KEY, data_of, event_of

STREAM_TYPES = [t for t in EventType if t.value.startswith("STREAM_")]
STATE_CHANGES = [t for t in EventType if t not in STREAM_TYPES]
ERROR: JsonObject = {"type": "ValueError", "message": "no", "stack": "line 1"}


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_has_a_history_item(event_type: EventType) -> None:
    item = history_item(event_of(event_type))
    assert item == {
        "sequence": 7,
        "type": event_type.value,
        "timestamp": "2024-11-23T09:00:00.123Z",
        "data": public_data(data_of(event_type)),
    }
    assert json.loads(json.dumps(item)) == item


@pytest.mark.parametrize("event_type", EventType)
@pytest.mark.parametrize("format", StreamFormat)
def test_every_event_has_exactly_one_frame_in_both_formats(event_type: EventType, format: StreamFormat) -> None:
    frame = stream_frame(KEY, event_of(event_type), format)
    assert frame.id == "7"
    assert frame == stream_frame(KEY, event_of(event_type), format)


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_is_a_cloud_event(event_type: EventType) -> None:
    frame = stream_frame(KEY, event_of(event_type), StreamFormat.CLOUDEVENTS)
    shown = json.loads(frame.data)
    assert frame.name is None
    assert set(shown) == {
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "sequence",
        "data",
    }
    assert shown["specversion"] == "1.0"
    assert (shown["source"], shown["id"]) == ("/api/orgs/acme/workflow-executions/01X", "7")
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", shown["type"])
    assert shown["sequence"] == 7
    assert shown["subject"]
    assert datetime.fromisoformat(shown["time"]).timestamp() == AT_MS / 1_000
    assert shown["data"] == public_data(data_of(event_type))


def test_public_names_are_distinct() -> None:
    names = {public_name(event_type) for event_type in EventType}
    assert len(names) == len(EventType)
    assert {
        "workflow.started",
        "task.failed",
        "timer.fired",
        "promise.timed_out",
        "signal.received",
        "child.completed",
        "operation.completed",
        "state.set",
        "control.cancellation_requested",
        "stream.token",
    } <= names


@pytest.mark.parametrize(
    ("event_type", "subject"),
    [
        (EventType.WORKFLOW_STARTED, "01X"),
        (EventType.TASK_FAILED, "01X.t1"),
        (EventType.TIMER_FIRED, "01X.m2"),
        (EventType.CHILD_WORKFLOW_COMPLETED, "01X.c4"),
        (EventType.STREAM_TOKEN, "01X.t1"),
        (EventType.CANCELLATION_REQUESTED, "01X"),
    ],
)
def test_a_cloud_event_names_what_it_is_about(event_type: EventType, subject: str) -> None:
    assert cloud_event(KEY, event_of(event_type))["subject"] == subject


@pytest.mark.parametrize("event_type", STATE_CHANGES)
def test_every_state_change_is_a_data_event_with_a_snapshot(event_type: EventType) -> None:
    name, text = state_event(event_of(event_type))
    assert name == "data"
    assert json.loads(text) == {
        "type": "Event",
        "event": event_type.value,
        "data": snapshot(event_of(event_type)),
        "timestampMs": AT_MS,
    }


@pytest.mark.parametrize(
    ("event_type", "expected"),
    [
        (
            EventType.WORKFLOW_STARTED,
            {"id": "01X", "kind": "order", "status": "PENDING", "parentWorkflowExecutionId": "01P"},
        ),
        (
            EventType.WORKFLOW_SUSPENDED,
            {"id": "01X", "kind": "order", "status": "WAITING", "suspendType": "TASK"},
        ),
        (EventType.WORKFLOW_RESUMED, {"id": "01X", "kind": "order", "status": "RUNNING", "workerId": "r1"}),
        (EventType.WORKFLOW_COMPLETED, {"id": "01X", "kind": "order", "status": "COMPLETED"}),
        (EventType.WORKFLOW_FAILED, {"id": "01X", "kind": "order", "status": "FAILED", "error": ERROR}),
        (
            EventType.TASK_CREATED,
            {"id": "01X.t1", "kind": "charge", "status": "PENDING", "executionCount": 0, "maxRetries": 3},
        ),
        (
            EventType.TASK_FAILED,
            {
                "id": "01X.t1",
                "kind": "charge",
                "status": "PENDING",
                "executionCount": 2,
                "maxRetries": 3,
                "workerId": "w1",
                "error": ERROR,
            },
        ),
        (EventType.TIMER_STARTED, {"timerId": "01X.m2", "fireAtMs": AT_MS + 5_000}),
        (EventType.PROMISE_CREATED, {"promiseId": "01X.p3"}),
        (EventType.PROMISE_RESOLVED, {"promiseId": "01X.p3", "result": True}),
        (EventType.PROMISE_REJECTED, {"promiseId": "01X.p3", "error": ERROR}),
        (EventType.SIGNAL_RECEIVED, {"name": "go", "value": {"a": 1}}),
        (EventType.CHILD_WORKFLOW_INITIATED, {"childWorkflowId": "01X.c4", "kind": "pack", "status": "PENDING"}),
        (
            EventType.CHILD_WORKFLOW_FAILED,
            {"childWorkflowId": "01X.c4", "kind": "pack", "status": "FAILED", "error": ERROR},
        ),
        (EventType.OPERATION_COMPLETED, {"operationId": "01X.o1", "result": 4.5}),
        (EventType.OPERATION_FAILED, {"operationId": "01X.o1"}),
        (EventType.STATE_SET, {"key": "stage", "value": "packing"}),
        (EventType.STATE_CLEARED, {"key": "stage"}),
        (EventType.CANCELLATION_REQUESTED, {"reason": "late", "cascade": True, "requestId": "r-1"}),
    ],
)
def test_a_snapshot_shows_what_clients_know_of_its_family(event_type: EventType, expected: JsonObject) -> None:
    assert snapshot(event_of(event_type)) == expected


@pytest.mark.parametrize(
    ("event_type", "name", "text"),
    [
        (EventType.STREAM_TOKEN, "token", "two\nlines"),
        (EventType.STREAM_PROGRESS, "progress", "0.5"),
        (EventType.STREAM_DATA, "data", '{"rows":[1,2]}'),
        (EventType.STREAM_ERROR, "error", '"look here"'),
    ],
)
def test_what_tasks_emit_has_event_names_of_its_own(event_type: EventType, name: str, text: str) -> None:
    assert state_event(event_of(event_type)) == (name, text)


@given(st.text())
def test_a_token_is_its_raw_text(text: str) -> None:
    assert state_event(event_of(EventType.STREAM_TOKEN, payload=text)) == ("token", text)


_JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(_JSON)
def test_any_payload_survives_every_view(value: JsonValue) -> None:
    event = event_of(EventType.TASK_COMPLETED, output=value)
    cloud = json.loads(stream_frame(KEY, event, StreamFormat.CLOUDEVENTS).data)
    assert json.loads(json.dumps(history_item(event)))["data"]["output"] == value
    assert cloud["data"]["output"] == value
    _, text = state_event(event_of(EventType.STREAM_DATA, payload=value))
    assert json.loads(text) == value


@pytest.mark.parametrize("event_type", [t for t in EventType if payload_fields(type(data_of(t)))])
def test_a_payload_that_is_still_a_reference_is_refused_by_every_view(event_type: EventType) -> None:
    reference = PayloadRef(sha256="0" * 64, size=9_000)
    fields: dict[str, Any] = {attribute: reference for attribute, _ in payload_fields(type(data_of(event_type)))}
    event = event_of(event_type, **fields)
    with pytest.raises(ValueError, match="reference"):
        history_item(event)
    for format in StreamFormat:
        with pytest.raises(ValueError, match="reference"):
            stream_frame(KEY, event, format)
