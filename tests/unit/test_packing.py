"""Packing: what goes into a commit comes out of it, or nothing does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import EventData, OperationCompleted, TaskCreated, TaskStatus, WorkflowResumed
from flowstrand.engine.events.vocabulary import RetryPolicy, WorkflowStatus
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import LogCorrupted
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.packing import (
    COMPRESS_ABOVE,
    pack_events,
    pack_json,
    unpack_events,
    unpack_events_at,
    unpack_json,
)
from flowstrand.log.port import Commit, LogKey

RESUMED = WorkflowResumed(workflow_execution_id="X", kind="order", status=WorkflowStatus.RUNNING)
CREATED = TaskCreated(
    task_execution_id="X.t1",
    position=1,
    kind="charge",
    status=TaskStatus.PENDING,
    execution_count=0,
    max_retries=3,
    input={"amount": 12.5, "note": None},
    queue="default",
    retry=RetryPolicy(),
)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),  # lone surrogates included
    lambda children: st.lists(children) | st.dictionaries(st.text(st.characters()), children),
    max_leaves=40,
)


def commit_of(events: bytes, count: int) -> Commit:
    key = LogKey(OrgId("acme"), ExecutionId("X"))
    return Commit(key=key, sequence=7, count=count, events=events, written_at_ms=1_000, commit_id="c")


@given(json_values)
def test_any_json_value_comes_out_as_it_went_in(value: object) -> None:
    assert unpack_json(pack_json(value)) == value


@given(json_values, st.data())
def test_a_changed_byte_is_always_noticed(value: object, data: st.DataObject) -> None:
    packed = bytearray(pack_json(value))
    index = data.draw(st.integers(0, len(packed) - 1))
    packed[index] ^= data.draw(st.integers(1, 255))
    with pytest.raises(LogCorrupted):
        unpack_json(bytes(packed))


@given(json_values, st.data())
def test_a_lost_end_is_always_noticed(value: object, data: st.DataObject) -> None:
    packed = pack_json(value)
    with pytest.raises(LogCorrupted):
        unpack_json(packed[: data.draw(st.integers(0, len(packed) - 1))])


def test_small_values_stay_readable_and_large_ones_are_compressed() -> None:
    small = pack_json({"note": "x" * 100})
    large = pack_json({"note": "x" * COMPRESS_ABOVE})
    assert b'"note"' in small
    assert len(large) < COMPRESS_ABOVE // 4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_without_a_json_form_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        pack_json([value])


@pytest.mark.parametrize("packed", [b"", b"j", b"x\x00\x00\x00\x00{}", b"\x1f\x8b\x08\x00\x00"])
def test_foreign_bytes_are_damage(packed: bytes) -> None:
    with pytest.raises(LogCorrupted):
        unpack_json(packed)


def test_events_get_their_sequences_and_the_commits_time() -> None:
    events: list[EventData] = [RESUMED, CREATED]
    unpacked = unpack_events(commit_of(pack_events(events), 2))
    assert [(event.sequence, event.timestamp_ms, event.data) for event in unpacked] == [
        (7, 1_000, RESUMED),
        (8, 1_000, CREATED),
    ]


def test_a_reference_and_a_value_that_looks_like_one_are_not_confused() -> None:
    reference = PayloadRef(sha256="ab" * 32, size=9_000)
    looks_alike: JsonObject = {"sha256": "ab" * 32, "size": 9_000}
    events: list[EventData] = [
        OperationCompleted(operation_id="X.o1", index=1, name="stored", result=reference),
        OperationCompleted(operation_id="X.o2", index=2, name="inline", result=looks_alike),
    ]
    unpacked = unpack_events(commit_of(pack_events(events), 2))
    assert [event.data for event in unpacked] == events


@pytest.mark.parametrize("count", [1, 3])
def test_a_commit_that_holds_another_number_of_events_is_damage(count: int) -> None:
    with pytest.raises(LogCorrupted, match="does not hold"):
        unpack_events(commit_of(pack_events([RESUMED, CREATED]), count))


@pytest.mark.parametrize("packed", [b"damaged", pack_json({}), pack_json([{"v": 1, "type": "NEVER", "data": {}}])])
def test_a_commit_that_cannot_be_read_is_damage(packed: bytes) -> None:
    with pytest.raises(LogCorrupted):
        unpack_events(commit_of(packed, 1))


@given(st.sets(st.integers(min_value=1, max_value=20)))
def test_some_events_of_a_commit_are_those_among_all_of_them(sequences: set[int]) -> None:
    commit = commit_of(pack_events([RESUMED, CREATED, CREATED, RESUMED]), 4)
    every = unpack_events(commit)
    assert unpack_events_at(commit, sequences) == tuple(event for event in every if event.sequence in sequences)


def test_a_commit_that_holds_too_little_is_refused_whatever_is_asked_of_it() -> None:
    with pytest.raises(LogCorrupted):
        unpack_events_at(commit_of(pack_events([RESUMED]), 2), ())
