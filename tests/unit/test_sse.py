"""Framing: what we write, a client that knows only the standard reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.streams import sse
from flowstrand.views.stream_frame import StreamFrame
from tests.unit.sse_parser import Dispatched, EventSource, parse

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n: \ufeff\0\u2028\x85"))
NAMES = st.sampled_from([None, "token", "progress", "data", "error"])
FRAMES = st.builds(StreamFrame, id=st.integers(0, 10**9).map(str), name=NAMES, data=TEXTS)


def joined_by_lf(text: str) -> str:
    """What SSE can carry of a text: all its line ends become LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def expected(frame: StreamFrame) -> Dispatched:
    return Dispatched(frame.id, frame.name or "message", joined_by_lf(frame.data))


@given(st.lists(FRAMES))
def test_frames_read_back_as_they_were_written(frames: list[StreamFrame]) -> None:
    assert parse(sse.retry(500) + sse.frames(frames)) == [expected(frame) for frame in frames]


@given(st.lists(FRAMES, min_size=1), st.data())
def test_a_cut_anywhere_loses_only_whole_frames_from_its_end(
    frames: list[StreamFrame], data: st.DataObject
) -> None:
    whole = sse.frames(frames)
    cut = data.draw(st.integers(0, len(whole)))
    source = EventSource()
    source.receive(whole[:cut])
    read = len(source.events)
    assert source.events == [expected(frame) for frame in frames[:read]]
    assert source.last_event_id == (frames[read - 1].id if read else "")


@pytest.mark.parametrize("data", ["a\nb", "a\rb", "a\r\nb"])
def test_every_kind_of_line_end_splits_data(data: str) -> None:
    framed = sse.frame(StreamFrame(id="3", name="token", data=data))
    assert framed == b"id: 3\nevent: token\ndata: a\ndata: b\n\n"


def test_data_can_neither_end_a_frame_nor_name_a_field() -> None:
    hostile = "x\n\nid: 99\nevent: evil\n\rdata: y\n\n:"
    [event] = parse(sse.frame(StreamFrame(id="3", name="token", data=hostile)))
    assert event == Dispatched("3", "token", joined_by_lf(hostile))


@pytest.mark.parametrize("data", ["", " ", "\n", "\n\n", " leading", "trailing\n"])
def test_empty_lines_and_spaces_are_kept(data: str) -> None:
    assert [event.data for event in parse(sse.frame(StreamFrame(id="1", name=None, data=data)))] == [data]


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    [event] = parse(sse.frame(StreamFrame(id="1", name="token", data="a\ud800b")))
    assert event.data == "a\ufffdb"


def test_the_default_event_name_is_left_out() -> None:
    assert b"event:" not in sse.frame(StreamFrame(id="1", name=None, data="x"))


@given(TEXTS)
def test_a_comment_is_never_an_event(text: str) -> None:
    source = EventSource()
    source.receive(sse.frame(StreamFrame(id="4", name=None, data="x")) + sse.comment(text))
    assert len(source.events) == 1
    assert source.last_event_id == "4"
    assert source.comments == joined_by_lf(text).split("\n")


def test_a_bare_id_moves_the_position_without_an_event() -> None:
    source = EventSource()
    source.receive(sse.comment("heartbeat", id="12"))
    assert (source.last_event_id, source.events) == ("12", [])


def test_the_reconnection_time_is_told() -> None:
    source = EventSource()
    source.receive(sse.retry(1_500))
    assert source.reconnection_ms == 1_500
