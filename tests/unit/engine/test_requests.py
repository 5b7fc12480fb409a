"""Request ids: a log remembers the newest, each with what answers its repetition."""

from __future__ import annotations

from flowstrand.engine.events import CancellationRequested, EventData, SignalReceived, StreamData, StreamToken
from flowstrand.engine.evolve import Draft
from flowstrand.engine.state import REMEMBERED_REQUESTS, ExecutionState
from flowstrand.log.checkpoint import pack_checkpoint, unpack_checkpoint
from tests.unit.engine.folded import NOW_MS, begun


def after(*events: EventData, state: ExecutionState | None = None) -> ExecutionState:
    draft = Draft(state or begun(), NOW_MS)
    draft.emit(*events)
    return draft.state


def signal(request_id: str | None) -> SignalReceived:
    return SignalReceived(name="go", value=None, request_id=request_id)


def token(request_id: str | None) -> StreamToken:
    return StreamToken(task_execution_id="e.t1", attempt=1, payload="x", request_id=request_id)


def test_a_request_id_is_remembered_with_the_sequence_of_its_event() -> None:
    state = after(signal("a"), CancellationRequested(request_id="b"))
    assert state.requests == {"a": 2, "b": 3}


def test_what_has_no_request_id_is_not_remembered() -> None:
    state = after(signal(None), CancellationRequested(), token(None))
    assert (state.requests, state.chunk_requests) == ({}, {})


def test_the_chunks_of_one_request_are_answered_with_the_last_of_their_sequences() -> None:
    data = StreamData(task_execution_id="e.t1", attempt=1, payload=1, request_id="a")
    assert after(token("a"), token("a"), data).chunk_requests == {"t1.1.a": 4}


def test_the_newest_are_remembered() -> None:
    state = after(*(signal(str(number)) for number in range(REMEMBERED_REQUESTS + 2)))
    assert len(state.requests) == REMEMBERED_REQUESTS
    assert next(iter(state.requests)) == "2"
    assert state.requests["2"] == 4


def test_chunks_do_not_make_signals_be_forgotten() -> None:
    state = after(signal("a"), *(token(str(number)) for number in range(REMEMBERED_REQUESTS + 2)))
    assert state.requests == {"a": 2}
    assert len(state.chunk_requests) == REMEMBERED_REQUESTS


def test_a_checkpoint_remembers_them_in_their_order() -> None:
    state = after(signal("b"), signal("a"), token("c"))
    restored = unpack_checkpoint(pack_checkpoint(state))
    assert restored == state
    assert list(restored.requests) == ["b", "a"]


def test_the_state_that_a_decision_began_from_is_left_alone() -> None:
    state = after(signal("a"), token("b"))
    after(signal("c"), token("d"), state=state)
    assert (list(state.requests), list(state.chunk_requests)) == (["a"], ["t1.1.b"])
