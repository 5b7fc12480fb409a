"""The live stream: whoever reads it, however often cut off, gets every event once and in order (laws 1, 2 and 4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowstrand.engine.events import EventData, EventType
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import InvalidInput, LogCorrupted, NotFound
from flowstrand.log.port import LogKey
from flowstrand.streams.live import LiveRequest, open_stream
from flowstrand.streams.response import StreamResponse
from flowstrand.views.stream_frame import StreamFormat
from tests.unit.every_event import KEY, data_of
from tests.unit.reading_world import ReadingWorld, failing_task
from tests.unit.sse_parser import EventSource, parse


def open_at(world: ReadingWorld, request: LiveRequest | None = None) -> StreamResponse:
    return open_stream(world.services, KEY.org, KEY.execution_id, request or LiveRequest())


async def chunks_of(response: StreamResponse) -> list[bytes]:
    assert response.body is not None
    return [chunk async for chunk in response.body]


async def stream_of(world: ReadingWorld, request: LiveRequest | None = None) -> bytes:
    return b"".join(await chunks_of(open_at(world, request)))


def ids(stream: bytes) -> list[int]:
    return [int(event.last_event_id) for event in parse(stream)]


@pytest.fixture
def world() -> ReadingWorld:
    return ReadingWorld()


async def test_a_closed_log_is_streamed_to_its_end(world: ReadingWorld) -> None:
    failing_task(world)
    response = open_at(world)
    stream = b"".join(await chunks_of(response))
    assert response.status == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert stream.startswith(b"retry: ")
    assert ids(stream) == [1, 2, 3, 4, 5, 6, 7]
    assert {event.type for event in parse(stream)} == {"data"}
    assert [json.loads(event.data)["event"] for event in parse(stream)] == [e.type for e in world.events()]
    assert world.waits == []


async def test_cloud_events_come_unnamed(world: ReadingWorld) -> None:
    failing_task(world)
    events = parse(await stream_of(world, LiveRequest(format=StreamFormat.CLOUDEVENTS)))
    assert {event.type for event in events} == {"message"}
    assert [json.loads(event.data)["sequence"] for event in events] == [1, 2, 3, 4, 5, 6, 7]


async def test_what_comes_while_streaming_follows_without_a_seam(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    world.after_ms(400, lambda: world.write(EventType.TASK_CREATED, EventType.WORKFLOW_SUSPENDED))
    world.after_ms(900, lambda: world.write(EventType.STREAM_TOKEN))
    world.after_ms(20_000, lambda: world.write(EventType.WORKFLOW_COMPLETED))
    stream = await stream_of(world)
    assert ids(stream) == [1, 2, 3, 4, 5]
    assert [event.data for event in parse(stream) if event.type == "token"] == ["two\nlines"]


async def test_a_stream_opens_before_its_first_event_comes(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    chunks = cast("AsyncGenerator[bytes, None]", open_at(world, LiveRequest(after=1)).body)
    async with aclosing(chunks):
        assert (await anext(chunks)).startswith(b"retry: ")
    assert world.waits == []


async def test_silence_is_broken_by_heartbeats_until_the_response_ends_by_itself(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    began = world.now
    source = EventSource()
    source.receive(await stream_of(world, LiveRequest(after=1)))
    assert source.events == []
    assert source.comments[:3] == ["heartbeat"] * 3
    assert len(source.comments) == 4
    assert "reconnect" in source.comments[-1]
    assert source.last_event_id == ""
    assert 55_000 <= world.now - began <= 55_500


async def test_events_put_the_heartbeat_off(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    for second in range(10, 60, 10):
        world.after_ms(second * 1_000, lambda: world.write(EventType.STREAM_TOKEN))
    source = EventSource()
    source.receive(await stream_of(world))
    assert "heartbeat" not in source.comments
    assert len(source.events) == 6


async def test_waiting_is_adaptive(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    await stream_of(world, LiveRequest(after=1))
    assert world.waits[0] == 100
    assert max(world.waits) == 500
    assert len(world.waits) < 130


async def test_a_position_at_the_end_of_a_closed_log_gets_204(world: ReadingWorld) -> None:
    failing_task(world)
    assert open_at(world, LiveRequest(after=7)) == StreamResponse(status=204)


async def test_a_position_at_the_end_of_an_open_log_waits(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    world.after_ms(100, lambda: world.write(EventType.WORKFLOW_COMPLETED))
    assert ids(await stream_of(world, LiveRequest(after=1))) == [2]


def test_a_position_beyond_the_end_is_refused(world: ReadingWorld) -> None:
    failing_task(world)
    with pytest.raises(InvalidInput) as refused:
        open_at(world, LiveRequest(after=8))
    assert refused.value.code == "POSITION_BEYOND_TAIL"


def test_an_unknown_execution_is_not_found(world: ReadingWorld) -> None:
    failing_task(world)
    for org, execution in (("other", KEY.execution_id), (KEY.org, "01Y")):
        with pytest.raises(NotFound) as refused:
            open_stream(world.services, OrgId(org), ExecutionId(execution), LiveRequest())
        assert refused.value.code == "EXECUTION_NOT_FOUND"


@pytest.mark.parametrize("format", StreamFormat)
async def test_a_stream_cut_after_every_byte_and_resumed_is_the_uncut_stream(
    world: ReadingWorld, format: StreamFormat
) -> None:
    failing_task(world)
    whole = await stream_of(world, LiveRequest(format=format))
    uncut = parse(whole)
    for cut in range(len(whole) + 1):
        source = EventSource()
        source.receive(whole[:cut])
        response = open_at(world, LiveRequest(after=int(source.last_event_id or "0"), format=format))
        if response.status == 200:
            source.receive(b"".join(await chunks_of(response)))
        assert source.events == uncut, cut


_STREAM = [
    data_of(EventType.STREAM_TOKEN, payload="a\r\n\rb\n"),
    data_of(EventType.STREAM_DATA, payload={"x": "\n\n"}),
    data_of(EventType.STREAM_PROGRESS, payload=0.25),
    data_of(EventType.TASK_STARTED),
]


@given(
    commits=st.lists(st.lists(st.sampled_from(_STREAM), min_size=1, max_size=3), max_size=4),
    cuts=st.lists(st.floats(0, 1), max_size=5),
    types=st.sampled_from([None, frozenset({EventType.STREAM_TOKEN})]),
)
def test_a_live_stream_cut_anywhere_any_number_of_times_joins_up(
    commits: list[list[EventData]], cuts: list[float], types: frozenset[EventType] | None
) -> None:
    world = ReadingWorld()
    world.write(EventType.WORKFLOW_STARTED)
    for number, commit in enumerate(commits):
        world.after_ms(number * 7_000, partial(world.write, *commit))
    world.after_ms(len(commits) * 7_000, partial(world.write, EventType.WORKFLOW_FAILED))
    source = EventSource()
    for share in [*cuts, *[1.0] * 3]:
        response = open_at(world, LiveRequest(after=int(source.last_event_id or "0"), types=types))
        if response.status == 204:
            break
        stream = b"".join(asyncio.run(chunks_of(response)))
        source.receive(stream[: round(len(stream) * share)])
    wanted = [event for event in world.events() if types is None or event.type in types]
    assert [int(event.last_event_id) for event in source.events] == [event.sequence for event in wanted]
    assert source.last_event_id == str(world.events()[-1].sequence)


async def test_under_a_filter_heartbeats_tell_how_far_the_log_was_read(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED, EventType.TASK_CREATED)
    world.after_ms(20_000, lambda: world.write(EventType.TASK_STARTED))
    chunks = await chunks_of(open_at(world, LiveRequest(types=frozenset({EventType.TASK_FAILED}))))
    heartbeats = [chunk for chunk in chunks if chunk.startswith(b": heartbeat")]
    assert heartbeats == [b": heartbeat\nid: 2\n\n", b": heartbeat\nid: 3\n\n", b": heartbeat\n\n"]
    assert parse(b"".join(chunks)) == []


async def test_under_a_filter_the_last_frame_moves_to_the_end_so_that_resuming_gets_204(
    world: ReadingWorld,
) -> None:
    failing_task(world)
    source = EventSource()
    source.receive(await stream_of(world, LiveRequest(types=frozenset({EventType.TASK_FAILED}))))
    assert [event.last_event_id for event in source.events] == ["5"]
    assert source.last_event_id == "7"
    assert open_at(world, LiveRequest(after=7)).status == 204


async def test_a_store_that_is_away_for_a_while_is_waited_for(world: ReadingWorld) -> None:
    failing_task(world)
    response = open_at(world)
    world.log.fails = 3
    assert ids(b"".join(await chunks_of(response))) == [1, 2, 3, 4, 5, 6, 7]


async def test_a_gap_breaks_the_stream_and_is_never_skipped(world: ReadingWorld) -> None:
    failing_task(world)
    response = open_at(world)
    world.log.skips = 4
    with pytest.raises(LogCorrupted):
        await chunks_of(response)


async def test_long_histories_come_in_bounded_chunks(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    for _ in range(25):
        world.write(*[EventType.STREAM_PROGRESS] * 10)
    world.write(EventType.WORKFLOW_COMPLETED)
    chunks = await chunks_of(open_at(world))
    assert max(len(parse(chunk)) for chunk in chunks) <= 100
    assert ids(b"".join(chunks)) == list(range(1, 253))


async def test_two_clients_see_the_same(world: ReadingWorld) -> None:
    failing_task(world)
    first, second = await asyncio.gather(stream_of(world), stream_of(world))
    assert parse(first) == parse(second)


async def test_a_client_that_leaves_ends_the_reading(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    chunks = cast("AsyncGenerator[bytes, None]", open_at(world).body)
    await anext(chunks)
    await anext(chunks)
    reads = world.log.reads
    await chunks.aclose()
    assert world.log.reads == reads
    with pytest.raises(StopAsyncIteration):
        await anext(chunks)


# --- many who watch one log --------------------------------------------------------------------------------------------


class Bell:
    """`Changes` that wake those who wait when it is rung, and never by themselves."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.waiting = 0

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        self.waiting += 1
        await self._rung.wait()
        self.waiting -= 1

    async def any_changed(self, after: Mapping[LogKey, int], *, timeout_ms: float) -> frozenset[LogKey]:
        raise NotImplementedError

    def ring(self) -> None:
        self._rung.set()
        self._rung = asyncio.Event()


class Audience:
    """Clients of one stream. What each has received is in `received`, by its number."""

    def __init__(self, world: ReadingWorld, count: int, request: LiveRequest | None = None) -> None:
        self.bell = Bell()
        self._services = replace(world.services, changes=self.bell)
        self.received = [EventSource() for _ in range(count)]
        self.watching = [asyncio.create_task(self._watch(source, request)) for source in self.received]

    async def _watch(self, source: EventSource, request: LiveRequest | None) -> None:
        response = open_stream(self._services, KEY.org, KEY.execution_id, request or LiveRequest())
        assert response.body is not None
        async for chunk in response.body:
            source.receive(chunk)

    async def await_all_at(self, sequence: int) -> None:
        """Return when all have the event and wait for the next."""
        while not self.bell.waiting or any(source.last_event_id != str(sequence) for source in self.received):  # noqa: ASYNC110 - of many tasks
            await asyncio.sleep(0)

    async def leave(self) -> None:
        for watching in self.watching:
            watching.cancel()
        await asyncio.gather(*self.watching, return_exceptions=True)


async def test_what_many_wait_for_is_read_once_for_each_commit(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    audience = Audience(world, 50)
    await asyncio.wait_for(audience.await_all_at(1), 10)
    reads = world.log.reads
    for sequence in range(2, 12):
        world.write(EventType.STREAM_TOKEN)
        audience.bell.ring()
        await asyncio.wait_for(audience.await_all_at(sequence), 10)
    # Appending reads the tail of this log once; what is left is what the watchers cost.
    assert world.log.reads - reads - 10 == 10
    assert audience.bell.waiting == 1
    await audience.leave()
    assert {tuple(event.last_event_id for event in source.events) for source in audience.received} == {
        tuple(str(sequence) for sequence in range(1, 12))
    }


async def test_those_who_come_together_read_the_past_once(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    for _ in range(30):
        world.write(*[EventType.STREAM_PROGRESS] * 10)
    world.write(EventType.WORKFLOW_COMPLETED)
    reads = world.log.reads
    audience = Audience(world, 50)
    await asyncio.wait_for(asyncio.gather(*audience.watching), 30)
    opening, pages = 50, 4
    assert world.log.reads - reads <= opening + 2 * pages
    assert {len(source.events) for source in audience.received} == {302}


async def test_filters_and_formats_are_kept_apart(world: ReadingWorld) -> None:
    failing_task(world)
    failed = frozenset({EventType.TASK_FAILED})
    requests = [
        LiveRequest(),
        LiveRequest(types=failed),
        LiveRequest(format=StreamFormat.CLOUDEVENTS),
        LiveRequest(format=StreamFormat.CLOUDEVENTS, types=failed),
    ]
    together = await asyncio.gather(*(stream_of(world, request) for request in requests))
    for request, stream in zip(requests, together, strict=True):
        apart = ReadingWorld()
        failing_task(apart)
        assert stream == await stream_of(apart, request)


async def test_a_client_that_takes_nothing_holds_nobody_back_and_loses_nothing(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    slow = cast("AsyncGenerator[bytes, None]", open_at(world).body)
    async with aclosing(slow):
        await anext(slow)
        world.after_ms(0, partial(world.write, *[EventType.STREAM_TOKEN] * 20))
        world.after_ms(1_000, lambda: world.write(EventType.WORKFLOW_COMPLETED))
        others = await asyncio.gather(stream_of(world), stream_of(world))
        source = EventSource()
        async for chunk in slow:
            source.receive(chunk)
    assert ids(others[0]) == ids(others[1]) == list(range(1, 23))
    assert source.events == parse(others[0])


async def test_damage_ends_the_stream_of_everyone_who_waits(world: ReadingWorld) -> None:
    world.write(EventType.WORKFLOW_STARTED)
    audience = Audience(world, 3)
    await asyncio.wait_for(audience.await_all_at(1), 10)
    world.write(EventType.TASK_CREATED)
    world.write(EventType.TASK_STARTED)
    world.log.skips = 2
    audience.bell.ring()
    outcomes = await asyncio.wait_for(asyncio.gather(*audience.watching, return_exceptions=True), 10)
    assert [type(outcome) for outcome in outcomes] == [LogCorrupted] * 3
