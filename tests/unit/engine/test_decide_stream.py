"""Chunks of running tasks: one event each, once, and only while their attempt runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.chunk import Chunk, ChunkType, StreamLimits, size_of
from flowstrand.engine.decide import stream, task, turn
from flowstrand.engine.effects import open_effects
from flowstrand.engine.events import StreamData, StreamError, StreamProgress, StreamToken
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.outcome import Returned
from flowstrand.engine.schema import Payload, PayloadRef
from flowstrand.engine.state import Streamed
from flowstrand.errors import Conflict, PayloadTooLarge
from flowstrand.log.checkpoint import pack_checkpoint, unpack_checkpoint
from tests.unit.engine.folded import ERROR, LEASE_MS, behind, drafted, schedule, wait

HELLO = Chunk(type=ChunkType.TOKEN, payload="hello")
HALF = Chunk(type=ChunkType.PROGRESS, payload=0.5, details={"step": 2})


def running() -> Draft:
    """A workflow that waits for a task whose first attempt runs."""
    draft = drafted()
    turn.issue(draft, [schedule(1)], 1)
    wait(draft, frozenset({1}))
    assert task.claim(draft, 1, attempt=1, worker_id="w", lease_ms=LEASE_MS)
    return draft


def test_every_chunk_is_an_event_of_its_type_in_order() -> None:
    draft = running()
    before = len(draft.events)
    data = Chunk(type=ChunkType.DATA, payload=[1])
    error = Chunk(type=ChunkType.ERROR, payload={"message": "oh"})
    last = stream.append(draft, 1, attempt=1, chunks=[HELLO, HALF, data, error], request_id="r")
    task_id = f"{draft.state.workflow_execution_id}.t1"
    assert draft.events[before:] == [
        StreamToken(task_execution_id=task_id, attempt=1, payload="hello", request_id="r"),
        StreamProgress(task_execution_id=task_id, attempt=1, payload=0.5, details={"step": 2}, request_id="r"),
        StreamData(task_execution_id=task_id, attempt=1, payload=[1], request_id="r"),
        StreamError(task_execution_id=task_id, attempt=1, payload={"message": "oh"}, request_id="r"),
    ]
    assert last == draft.state.sequence


def test_a_request_repeated_is_answered_and_not_recorded_again() -> None:
    draft = running()
    first = stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r")
    stream.append(draft, 1, attempt=1, chunks=[HALF], request_id="s")
    length = len(draft.events)
    assert stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r") == first
    assert len(draft.events) == length


def test_without_a_request_id_nothing_is_taken_for_a_repetition() -> None:
    draft = running()
    first = stream.append(draft, 1, attempt=1, chunks=[HELLO])
    assert stream.append(draft, 1, attempt=1, chunks=[HELLO]) == first + 1


def test_the_same_request_id_of_another_task_is_another_request() -> None:
    draft = drafted()
    turn.issue(draft, [schedule(1), schedule(2)], 1)
    for position in (1, 2):
        assert task.claim(draft, position, attempt=1, worker_id="w", lease_ms=LEASE_MS)
    first = stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r")
    assert stream.append(draft, 2, attempt=1, chunks=[HELLO], request_id="r") == first + 1


def test_a_repetition_is_answered_after_the_attempt_too() -> None:
    draft = running()
    first = stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r")
    task.complete(draft, 1, attempt=1, output=None)
    assert stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r") == first


@pytest.mark.parametrize(("position", "attempt"), [(1, 2), (2, 1)])
def test_chunks_of_what_does_not_run_are_refused(position: int, attempt: int) -> None:
    with pytest.raises(Conflict) as refused:
        stream.append(running(), position, attempt=attempt, chunks=[HELLO], request_id="r")
    assert refused.value.code == "STALE_ATTEMPT"


def test_chunks_of_an_attempt_that_ended_are_refused() -> None:
    draft = running()
    task.fail(draft, 1, attempt=1, error=ERROR)
    with pytest.raises(Conflict) as refused:
        stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r")
    assert refused.value.code == "STALE_ATTEMPT"


def test_chunks_make_nothing_runnable_and_have_no_effects() -> None:
    draft = running()
    stream.append(draft, 1, attempt=1, chunks=[HELLO, HALF], request_id="r")
    assert not draft.state.is_runnable
    assert draft.state.observed == ()
    assert open_effects(draft.state, since=draft.state.sequence - 1) == []


def test_chunks_after_the_end_are_refused() -> None:
    draft = running()
    turn.close(draft, Returned(None), draft.state.sequence, "w")
    with pytest.raises(Conflict) as refused:
        stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r")
    assert refused.value.code == "EXECUTION_CLOSED"


# --- how much an attempt may emit -----------------------------------------------------------------


def refused_by(draft: Draft, chunks: Sequence[Chunk], limits: StreamLimits, *, attempt: int = 1) -> str:
    """The code that they are refused with; nothing is recorded."""
    before = len(draft.events)
    with pytest.raises(PayloadTooLarge) as refused:
        stream.append(draft, 1, attempt=attempt, chunks=chunks, limits=limits)
    assert len(draft.events) == before
    return refused.value.code


def test_chunks_beyond_the_last_are_refused_together() -> None:
    draft, limits = running(), StreamLimits(chunks=3)
    stream.append(draft, 1, attempt=1, chunks=[HELLO, HALF], limits=limits)
    assert refused_by(draft, [HELLO, HELLO], limits) == "STREAM_LIMIT_REACHED"
    stream.append(draft, 1, attempt=1, chunks=[HELLO], limits=limits)
    assert refused_by(draft, [HELLO], limits) == "STREAM_LIMIT_REACHED"


def test_what_counts_is_the_length_of_all_values_as_well() -> None:
    draft, limits = running(), StreamLimits(size=7 + 3 + 10)
    stream.append(draft, 1, attempt=1, chunks=[HELLO, HALF], limits=limits)
    assert draft.state.streamed == {1: Streamed(chunks=2, size=20)}
    assert refused_by(draft, [Chunk(type=ChunkType.DATA, payload=1)], limits) == "STREAM_LIMIT_REACHED"


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 0),
        ("", 2),
        ("h\N{LATIN SMALL LETTER E WITH ACUTE}", 5),
        ("\ud800", 5),
        (7, 1),
        ({"a": [1, 2]}, 11),
        (PayloadRef("0" * 64, 9_000), 9_000),
    ],
)
def test_a_value_is_as_long_as_its_json(value: Payload, size: int) -> None:
    assert size_of(value) == size


def test_every_attempt_begins_anew() -> None:
    draft, limits = running(), StreamLimits(chunks=1)
    stream.append(draft, 1, attempt=1, chunks=[HELLO], limits=limits)
    task.fail(draft, 1, attempt=1, error=ERROR)
    assert draft.state.streamed == {}
    draft = behind(draft, after_ms=60_000)
    assert task.claim(draft, 1, attempt=2, worker_id="w", lease_ms=LEASE_MS)
    stream.append(draft, 1, attempt=2, chunks=[HELLO], limits=limits)
    assert refused_by(draft, [HELLO], limits, attempt=2) == "STREAM_LIMIT_REACHED"


def test_a_repetition_is_answered_where_there_is_no_room_any_more() -> None:
    draft, limits = running(), StreamLimits(chunks=1)
    first = stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r", limits=limits)
    assert stream.append(draft, 1, attempt=1, chunks=[HELLO], request_id="r", limits=limits) == first


def test_nothing_is_counted_of_what_has_ended() -> None:
    draft = running()
    stream.append(draft, 1, attempt=1, chunks=[HELLO])
    task.complete(draft, 1, attempt=1, output=None)
    assert draft.state.streamed == {}


@given(
    requests=st.lists(st.lists(st.text(max_size=5), min_size=1, max_size=4), max_size=12),
    chunks=st.integers(0, 15),
    size=st.integers(0, 60),
    forgets=st.booleans(),
)
def test_what_fits_is_recorded_and_nothing_else(
    requests: list[list[str]], chunks: int, size: int, *, forgets: bool
) -> None:
    """Whether a process has folded the whole log or begins with a checkpoint: it counts alike."""
    draft, limits = running(), StreamLimits(chunks=chunks, size=size)
    fitting: list[str] = []
    for number, texts in enumerate(requests):
        if forgets:
            draft = Draft(unpack_checkpoint(pack_checkpoint(draft.state)), draft.now_ms)
        together = [*fitting, *texts]
        fits = (not chunks or len(together) <= chunks) and (not size or sum(map(size_of, together)) <= size)
        emitted = [Chunk(type=ChunkType.TOKEN, payload=text) for text in texts]
        if fits:
            stream.append(draft, 1, attempt=1, chunks=emitted, request_id=str(number), limits=limits)
            fitting = together
        else:
            refused_by(draft, emitted, limits)
    expected = {1: Streamed(chunks=len(fitting), size=sum(map(size_of, fitting)))} if fitting else {}
    assert draft.state.streamed == expected
