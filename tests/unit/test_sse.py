"""Framing: what we write, a client that knows only the standard reads."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
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


# --- other clients, and other ways to arrive ------------------------------------------------------


class Pieces(httpx2.SyncByteStream):
    """A body that arrives in pieces, wherever these are cut."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces


def read_by_httpx2(pieces: list[bytes]) -> list[Dispatched]:
    """What a client makes of it that decodes as it receives."""
    response = httpx2.Response(
        200,
        headers={"content-type": sse.CONTENT_TYPE},
        stream=Pieces(pieces),
        request=httpx2.Request("GET", "http://server"),
    )
    frames = httpx2.EventSource(response)
    return [Dispatched(one.id, one.event, one.data) for one in frames if one.data]


# An empty event is one to a browser, and to that client none.
SOME = st.builds(
    StreamFrame, id=st.integers(1, 10**9).map(str), name=NAMES, data=st.tuples(st.just("x"), TEXTS).map("".join)
)


@given(st.lists(SOME, max_size=4), st.data())
def test_characters_and_frames_may_be_cut_anywhere_between_two_pieces(
    frames: list[StreamFrame], data: st.DataObject
) -> None:
    whole = sse.retry(500) + sse.frames(frames)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=12)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert read_by_httpx2(pieces) == [expected(frame) for frame in frames]


@pytest.mark.parametrize("text", ["é", "日本", "\U0001f600", "\u2028", "a\U0001f600\r\nb"])
def test_a_character_that_arrives_byte_by_byte_is_whole(text: str) -> None:
    whole = sse.frame(StreamFrame(id="1", name="token", data=text))
    [event] = read_by_httpx2([whole[place : place + 1] for place in range(len(whole))])
    assert event.data == joined_by_lf(text)


def test_a_byte_order_mark_in_data_stays_there() -> None:
    """A client drops the one that a stream begins with: ours begin with something else."""
    stream = sse.retry(1) + sse.frame(StreamFrame(id="1", name="token", data="\ufeffx\n\ufeff"))
    assert not stream.startswith("\ufeff".encode())
    assert [event.data for event in parse(stream)] == ["\ufeffx\n\ufeff"]


def test_nul_in_data_is_a_character_like_any_other() -> None:
    [event] = parse(sse.frame(StreamFrame(id="1", name="token", data="a\0b")))
    assert (event.last_event_id, event.data) == ("1", "a\0b")


@pytest.mark.parametrize("unfit", ["1\n2", "1\r", "\0", "1\r\nevent: evil"])
def test_what_could_break_out_of_an_id_or_a_name_is_never_written(unfit: str) -> None:
    """A NUL would have clients ignore the id, and resume from the one before."""
    with pytest.raises(ValueError, match="no id and no name"):
        sse.frame(StreamFrame(id=unfit, name=None, data="x"))
    with pytest.raises(ValueError, match="no id and no name"):
        sse.frame(StreamFrame(id="1", name=unfit, data="x"))
    with pytest.raises(ValueError, match="no id and no name"):
        sse.comment("x", id=unfit)


@given(st.text("\r\n", max_size=6))
def test_any_run_of_line_ends_has_as_many_lines_for_every_client(ends: str) -> None:
    frame = sse.frame(StreamFrame(id="1", name="token", data=f"a{ends}b"))
    assert parse(frame) == read_by_httpx2([frame])
    assert parse(frame)[0].data == joined_by_lf(f"a{ends}b")
