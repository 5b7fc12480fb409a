"""Events as JSON: what is stored comes back, whatever wrote it; what cannot be read is refused."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import (
    EventData,
    EventType,
    TaskCompleted,
    TimerStarted,
    WaitGroup,
    codec,
    data_class_of,
)
from flowstrand.engine.events.codec import SCHEMA_VERSION, decode, encode, public_data
from flowstrand.engine.schema import EpochMs, PayloadRef, epoch_ms, payload_fields, rfc3339, schema_of
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject, JsonValue
from tests.unit.every_event import AT_MS, data_of

EVERY_TYPE = pytest.mark.parametrize("event_type", list(EventType))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
REFERENCE = PayloadRef("ab" * 32, 40_000)


def stored(data: EventData) -> Any:
    """What a store gives back: it has been text meanwhile."""
    return json.loads(json.dumps(encode(data)))


# --- round trips --------------------------------------------------------------------------------


@EVERY_TYPE
def test_every_type_comes_back_as_it_was(event_type: EventType) -> None:
    data = data_of(event_type)
    assert decode(stored(data)) == data
    assert encode(data)["type"] == event_type


@EVERY_TYPE
def test_every_type_comes_back_without_its_optional_fields(event_type: EventType) -> None:
    data = data_of(event_type)
    payloads = {attribute for attribute, _ in payload_fields(type(data))}
    optional: dict[str, Any] = {
        field.name: None for field in fields(data) if field.default is None and field.name not in payloads
    }
    bare = replace(data, **optional)
    assert decode(stored(bare)) == bare


@given(value=JSON, event_type=st.sampled_from([t for t in EventType if payload_fields(data_class_of(t))]))
def test_every_value_comes_back_from_every_field_that_holds_one(value: JsonValue, event_type: EventType) -> None:
    data = data_of(event_type)
    for attribute, _ in payload_fields(type(data)):
        filled = data_of(event_type, **{attribute: value})
        assert decode(stored(filled)) == filled


@given(moment=st.integers(0, 253_402_300_799_999))
def test_every_moment_comes_back_to_the_millisecond(moment: int) -> None:
    text = rfc3339(moment)
    assert epoch_ms(text) == moment
    assert len(text) == len("2026-11-23T09:00:00.123Z")
    assert text.endswith("Z")
    data = TimerStarted(timer_id="01X.m1", position=1, fire_at_ms=EpochMs(moment))
    assert decode(stored(data)) == data


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999-00:01"])
def test_a_moment_that_could_not_be_written_in_utc_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        epoch_ms(text)


@given(positions=st.frozensets(st.integers(1, 10_000), min_size=1, max_size=60), settled=st.booleans())
def test_wait_groups_come_back_whatever_positions_they_hold(positions: frozenset[int], settled: bool) -> None:
    group = WaitGroup.of(positions, settled=settled)
    assert group.positions() == positions
    data = data_of(EventType.WORKFLOW_SUSPENDED, waits=(group,))
    assert decode(stored(data)) == data


def test_a_wait_for_a_thousand_tasks_is_a_few_bytes() -> None:
    assert WaitGroup.of(frozenset(range(1, 1_001))).operations == "1-1000"
    assert WaitGroup.of(frozenset({1, 2, 3, 7, 9, 10})).operations == "1-3,7,9-10"


def test_the_stored_form_is_the_documented_one() -> None:
    started = TimerStarted(timer_id="01X.m2", position=2, fire_at_ms=EpochMs(AT_MS))
    assert encode(started) == {
        "v": 1,
        "type": "TIMER_STARTED",
        "data": {"timerId": "01X.m2", "position": 2, "fireAt": "2024-11-23T09:00:00.123Z"},
    }


# --- references ---------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", [t for t in EventType if payload_fields(data_class_of(t))])
def test_references_stand_beside_the_data_and_come_back(event_type: EventType) -> None:
    for attribute, key in payload_fields(data_class_of(event_type)):
        data = data_of(event_type, **{attribute: REFERENCE})
        encoded: Any = stored(data)
        assert key not in encoded["data"]
        assert encoded["refs"] == {key: {"sha256": REFERENCE.sha256, "size": REFERENCE.size}}
        assert decode(encoded) == data


def test_a_value_that_looks_like_a_reference_stays_a_value() -> None:
    for lookalike in ({"sha256": "ab" * 32, "size": 4}, {"refs": {"output": {"sha256": "ab", "size": 1}}}):
        data = data_of(EventType.TASK_COMPLETED, output=lookalike)
        assert "refs" not in encode(data)
        back = decode(stored(data))
        assert isinstance(back, TaskCompleted)
        assert back.output == lookalike


def test_none_is_a_value_and_not_an_absence() -> None:
    encoded: Any = stored(data_of(EventType.TASK_COMPLETED, output=None))
    assert encoded["data"]["output"] is None
    assert "workerId" not in stored(data_of(EventType.TASK_COMPLETED, worker_id=None))["data"]


def test_clients_never_see_a_reference() -> None:
    with pytest.raises(ValueError, match="reference in output"):
        public_data(data_of(EventType.TASK_COMPLETED, output=REFERENCE))
    assert public_data(data_of(EventType.TASK_COMPLETED))["output"] == "done"


# --- versions -----------------------------------------------------------------------------------


def test_an_event_of_an_older_version_is_read_through_every_step_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def from_first(name: str, body: JsonObject) -> tuple[str, JsonObject]:
        assert name == "ACTIVITY_DONE"
        return "TASK_DONE", {**body, "executionCount": body["tries"]}

    def from_second(name: str, body: JsonObject) -> tuple[str, JsonObject]:
        return "TASK_COMPLETED", {**body, "maxRetries": 3}

    old = {
        "v": 1,
        "type": "ACTIVITY_DONE",
        "data": {
            "taskExecutionId": "01X.t1",
            "position": 1,
            "kind": "charge",
            "status": "COMPLETED",
            "tries": 2,
            "attempt": 2,
            "output": "done",
        },
    }
    monkeypatch.setattr(codec, "SCHEMA_VERSION", 3)
    back = decode(old, upcasters={1: from_first, 2: from_second})
    assert isinstance(back, TaskCompleted)
    assert (back.execution_count, back.max_retries, back.output) == (2, 3, "done")
    newest = encode(back)
    assert newest["v"] == 3
    assert decode(newest, upcasters={}) == back


def test_references_survive_upcasting(monkeypatch: pytest.MonkeyPatch) -> None:
    old = stored(data_of(EventType.TASK_COMPLETED, output=REFERENCE))
    monkeypatch.setattr(codec, "SCHEMA_VERSION", 2)
    back = decode(old, upcasters={1: lambda name, body: (name, body)})
    assert isinstance(back, TaskCompleted)
    assert back.output == REFERENCE


def test_an_event_of_a_newer_version_is_refused() -> None:
    newer = {**encode(data_of(EventType.TASK_COMPLETED)), "v": SCHEMA_VERSION + 1}
    with pytest.raises(LogCorrupted, match="newer than"):
        decode(newer)


def test_fields_that_a_newer_writer_added_are_ignored() -> None:
    encoded: Any = stored(data_of(EventType.TASK_FAILED))
    encoded["data"]["colour"] = "red"
    assert decode(encoded) == data_of(EventType.TASK_FAILED)


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"v": 1},
        {"v": 0, "type": "TIMER_FIRED", "data": {}},
        {"v": "1", "type": "TIMER_FIRED", "data": {}},
        {"v": 1, "type": "NO_SUCH_EVENT", "data": {}},
        {"v": 1, "type": "TIMER_FIRED", "data": {}},
        {"v": 1, "type": "TIMER_FIRED", "data": None},
        {"v": 1, "type": "TIMER_FIRED", "data": {"timerId": "m", "position": 1, "fireAt": "yesterday"}},
        {"v": 1, "type": "TIMER_FIRED", "data": {"timerId": "m", "position": 1, "fireAt": "2026-11-23T09:00:00"}},
        {"v": 1, "type": "TIMER_FIRED", "data": {"timerId": "m", "position": 1, "fireAt": 5}},
    ],
)
def test_what_cannot_be_read_is_refused_and_never_guessed(damaged: JsonObject) -> None:
    with pytest.raises(LogCorrupted):
        decode(damaged)


@EVERY_TYPE
def test_an_event_without_a_required_field_is_refused(event_type: EventType) -> None:
    encoded: Any = stored(data_of(event_type))
    payloads = {key for _, key in payload_fields(data_class_of(event_type))}
    required = {field.key for field in schema_of(data_class_of(event_type)) if field.required} - payloads
    for key in required:
        body = {k: v for k, v in encoded["data"].items() if k != key}
        with pytest.raises(LogCorrupted):
            decode({**encoded, "data": body})
    assert required or event_type in {EventType.CANCELLATION_REQUESTED, EventType.STATE_CLEARED}
