"""Following a log: by which way its events come, and that they are the same by either (laws 1 and 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
import stamina

from flowstrand.client import Client, StreamEvent, SyncClient
from flowstrand.client.call import STREAM_SILENCE_S
from flowstrand.client.deadline import Deadline
from flowstrand.client.history import TERMINAL_TYPES, HistoryEvent
from flowstrand.client.stream import StreamCursor, StreamFormat
from flowstrand.client.stream_route import FALL_BACK_AFTER, FIRST_BYTE_S
from flowstrand.engine.events import EventType
from flowstrand.errors import LogCorrupted, NotFound, Unavailable
from flowstrand.views.history_item import history_item
from tests.unit.every_event import event_of
from tests.unit.fake_log import CUT, SILENCE, FakeLog, stream_of

FORMATS: tuple[StreamFormat, ...] = ("state", "cloudevents")
MIB = 1 << 20


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("flowstrand.client.stream._DEFAULT_PAUSE_S", 0.0)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture(params=["async", "sync"])
def follow(request: pytest.FixtureRequest, log: FakeLog) -> Any:
    """Every event that a client shows, by either client."""

    async def streamed(**options: Any) -> list[StreamEvent]:
        async with Client("http://server", "key", "acme", transport=log.transport) as client:
            return [event async for event in client.stream("01X", **options)]

    def streamed_sync(**options: Any) -> list[StreamEvent]:
        with SyncClient("http://server", "key", "acme", transport=log.transport) as client:
            return list(client.stream("01X", **options))

    return streamed_sync if request.param == "sync" else lambda **options: asyncio.run(streamed(**options))


def sequences(events: list[StreamEvent]) -> list[int]:
    return [event.sequence for event in events]


def whole(log: FakeLog) -> list[int]:
    return [event.sequence for event in log.events]


def refusal(status: int, code: str) -> httpx2.Response:
    return httpx2.Response(status, json={"error": "no", "code": code})


@pytest.mark.parametrize("format", FORMATS)
def test_a_long_poll_shows_what_a_stream_shows(follow: Any, log: FakeLog, format: StreamFormat) -> None:
    streamed = follow(format=format)
    log.streams = [SILENCE]
    polled = follow(format=format)
    assert log.asked == ["stream", "stream", "events"]
    comparable = [(event.sequence, event.name, event.type, event.data, event.timestamp_ms) for event in streamed]
    assert [(e.sequence, e.name, e.type, e.data, e.timestamp_ms) for e in polled] == comparable
    assert len(polled) == len(log.events) == len(EventType) - len(TERMINAL_TYPES) + 1


def test_the_state_view_of_an_item_has_the_text_of_the_frame() -> None:
    token = event_of(EventType.STREAM_TOKEN, 1, payload="a\r\nb\rc")
    item = history_item(token)
    cursor = StreamCursor(0)
    shown = cursor.accept_item(HistoryEvent(**item))  # type: ignore[arg-type] # JSON, as the API has it
    assert (shown.raw, shown.data) == ("a\nb\nc", "a\nb\nc")


def test_a_stream_that_is_held_back_makes_it_a_long_poll_from_where_it_was(follow: Any, log: FakeLog) -> None:
    log.streams = [stream_of(error=SILENCE)]
    assert sequences(follow(after=3)) == whole(log)[3:]
    assert log.asked == ["stream", "events"]
    assert log.silence_s(0) == FIRST_BYTE_S
    assert dict(log.requests[1].url.params) == {"after": "3", "wait": "20"}


def test_a_stream_that_begins_and_is_then_quiet_is_one(follow: Any, log: FakeLog) -> None:
    log.streams = [stream_of(log.frames(0, 0), error=SILENCE), stream_of(log.frames(0, 4), error=SILENCE)]
    assert sequences(follow()) == whole(log)
    assert log.asked == ["stream", "stream", "stream"]
    assert [log.silence_s(number) for number in range(3)] == [FIRST_BYTE_S, STREAM_SILENCE_S, STREAM_SILENCE_S]


@pytest.mark.parametrize(
    "instead",
    [
        lambda: refusal(404, "ROUTE_NOT_FOUND"),
        lambda: httpx2.Response(403, json={"message": "Forbidden"}),
        lambda: httpx2.Response(200, headers={"content-type": "text/html"}, text="<html>"),
    ],
    ids=["by a server without streams", "by a proxy", "by a page of a proxy"],
)
def test_a_stream_that_is_refused_makes_it_a_long_poll(
    follow: Any, log: FakeLog, instead: Callable[[], httpx2.Response]
) -> None:
    log.streams = [instead()]
    assert sequences(follow()) == whole(log)
    assert log.asked == ["stream", "events"]


def test_what_a_long_poll_is_refused_is_final(follow: Any, log: FakeLog) -> None:
    log.streams, log.polls = [refusal(404, "EXECUTION_NOT_FOUND")], [refusal(404, "EXECUTION_NOT_FOUND")]
    with pytest.raises(NotFound):
        follow()
    assert log.asked == ["stream", "events"]


def test_streams_that_break_before_anything_arrives_make_it_a_long_poll(follow: Any, log: FakeLog) -> None:
    log.streams = [stream_of(error=CUT) for _ in range(FALL_BACK_AFTER)]
    assert sequences(follow()) == whole(log)
    assert log.asked == ["stream"] * FALL_BACK_AFTER + ["events"]


def test_a_log_that_is_still_open_is_polled_on_until_it_ends(log: FakeLog) -> None:
    log.streams = [SILENCE]
    log.there = 5
    log.polls = [httpx2.Response(200, json={"events": [], "nextAfter": 0, "upToDate": True, "closed": False})]
    shown = []
    with SyncClient("http://server", "key", "acme", transport=log.transport) as client:
        for event in client.stream("01X"):
            shown.append(event.sequence)
            log.there = None
    assert shown == whole(log)
    assert log.asked == ["stream", "events", "events", "events"]


def test_a_gap_in_what_is_polled_is_never_passed_over(follow: Any, log: FakeLog) -> None:
    log.streams = [SILENCE]
    item = history_item(log.events[1])
    log.polls = [httpx2.Response(200, json={"events": [item], "nextAfter": 2, "upToDate": True, "closed": False})]
    with pytest.raises(LogCorrupted, match="expected event 1, got 2"):
        follow()


def test_connections_that_are_cut_while_nothing_happens_are_no_reason_to_give_up(
    follow: Any, log: FakeLog
) -> None:
    log.streams = [stream_of(log.frames(0, 0), error=CUT) for _ in range(20)]
    assert sequences(follow()) == whole(log)
    assert log.asked == ["stream"] * 21


def test_a_server_that_cannot_be_reached_is_given_up(follow: Any, log: FakeLog) -> None:
    log.streams = [httpx2.ConnectError("refused")] * 2
    with pytest.raises(Unavailable) as caught:
        follow()
    assert caught.value.code == "UNREACHABLE"


def test_an_event_larger_than_a_mebibyte_is_read(follow: Any, log: FakeLog) -> None:
    log.events = [
        event_of(EventType.WORKFLOW_STARTED, 1, input="x" * (2 * MIB)),
        event_of(EventType.WORKFLOW_COMPLETED, 2),
    ]
    first, _last = follow(format="cloudevents")
    assert len(first.data["input"]) == 2 * MIB


def test_behind_its_deadline_a_stream_ends(follow: Any, log: FakeLog) -> None:
    with pytest.raises(TimeoutError, match="01X is still open after 0 s"):
        follow(timeout=0)
    assert log.asked == []


def test_a_handle_passes_its_deadline_on(log: FakeLog) -> None:
    with SyncClient("http://server", "key", "acme", transport=log.transport) as client:
        for handle in (client.handle("01X"), client.task_handle("01X.t1")):
            with pytest.raises(TimeoutError):
                next(iter(handle.stream(timeout=0)))


def test_shortly_before_its_deadline_a_reader_polls_for_what_is_left(follow: Any, log: FakeLog) -> None:
    assert sequences(follow(timeout=7.5)) == whole(log)
    assert log.asked == ["events"]
    assert int(log.requests[0].url.params["wait"]) in {6, 7}


def test_a_deadline_that_is_far_changes_nothing(follow: Any, log: FakeLog) -> None:
    assert sequences(follow(timeout=3_600)) == whole(log)
    assert log.asked == ["stream"]


def test_a_stream_is_left_when_its_deadline_comes_near(
    follow: Any, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_s = iter(range(60, 0, -1))  # one second for each look at the clock
    monkeypatch.setattr(Deadline, "left_s", property(lambda _: float(next(left_s))))
    log.streams = [stream_of(log.frames(0, 2), *[b": heartbeat\n\n"] * 50, log.frames(2, 3))]
    assert sequences(follow(timeout=60)) == whole(log)
    assert log.asked == ["stream", "events"]
    assert log.requests[1].url.params["after"] == "2"
