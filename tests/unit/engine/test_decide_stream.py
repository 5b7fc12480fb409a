"""Chunks of running tasks: one event each, once, and only while their attempt runs."""

from __future__ import annotations

import pytest

from flowstrand.engine.chunk import Chunk, ChunkType
from flowstrand.engine.decide import stream, task, turn
from flowstrand.engine.effects import open_effects
from flowstrand.engine.events import StreamData, StreamError, StreamProgress, StreamToken
from flowstrand.engine.evolve import Draft
from flowstrand.engine.replay.outcome import Returned
from flowstrand.errors import Conflict
from tests.unit.engine.folded import ERROR, LEASE_MS, drafted, schedule, wait

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
