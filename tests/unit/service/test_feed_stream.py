"""The live stream of a feed: whoever reads it, however often cut off, gets every event once and in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from functools import partial
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowstrand.engine.events import EventType
from flowstrand.engine.replay.driver import Driver
from flowstrand.errors import Gone, InvalidInput, StoreUnavailable
from flowstrand.jsonvalue import JsonValue
from flowstrand.log.port import LogKey
from flowstrand.service import feed
from flowstrand.service.projection import project
from flowstrand.streams.feed import FeedRequest, open_feed
from flowstrand.streams.response import StreamResponse
from flowstrand.views.stream_frame import StreamFormat
from tests.unit.service.projected import whole_feed
from tests.unit.service.service_world import ORG, ServiceWorld, work
from tests.unit.sse_parser import EventSource, parse


async def order(driver: Driver, input: JsonValue) -> JsonValue:
    done: JsonValue = await work(driver)
    return done


class FollowedWorld(ServiceWorld):
    """Waiting for a change moves time, and lets happen what a test has planned."""

    def __init__(self, **options: int) -> None:
        self.waits: list[float] = []
        self._plan: list[tuple[int, Callable[[], Any]]] = []
        super().__init__(**options)

    async def changed(self, key: LogKey, *, after: int, timeout_ms: float) -> None:
        assert key == feed.key_of(ORG)
        self.waits.append(timeout_ms)
        self.clock.sleep_ms(max(1, timeout_ms))
        due = [step for at_ms, step in self._plan if at_ms <= self.clock.now_ms()]
        self._plan = [(at_ms, step) for at_ms, step in self._plan if at_ms > self.clock.now_ms()]
        for step in due:
            step()

    def after_ms(self, delay_ms: int, step: Callable[[], Any]) -> None:
        self._plan.append((self.clock.now_ms() + delay_ms, step))

    def order(self, input: JsonValue = None) -> str:
        """An execution of three events, projected."""
        execution = self.begin(order, input)
        self.project()
        return execution

    def finish(self) -> None:
        """Whatever is open completes: three more events each."""
        for task in self.claim():
            self.complete(task)
        self.settle()
        self.project()

    def project(self) -> None:
        wanted = {key: commits[-1].last_sequence for key, commits in self.disk.commits.items()}
        assert project(self.services, wanted) == {}


@pytest.fixture
def world() -> FollowedWorld:
    return FollowedWorld()


def open_at(world: FollowedWorld, request: FeedRequest | None = None) -> StreamResponse:
    return open_feed(world.services, ORG, request or FeedRequest())


async def chunks_of(response: StreamResponse) -> list[bytes]:
    assert response.body is not None
    return [chunk async for chunk in response.body]


async def stream_of(world: FollowedWorld, request: FeedRequest | None = None) -> bytes:
    return b"".join(await chunks_of(open_at(world, request)))


def ids(stream: bytes) -> list[int]:
    return [int(event.last_event_id) for event in parse(stream)]


async def test_what_is_kept_comes_first_and_then_what_happens(world: FollowedWorld) -> None:
    world.order()
    world.after_ms(5_000, world.order)
    world.after_ms(30_000, world.finish)
    began_ms = world.clock.now_ms()
    stream = await stream_of(world)
    assert ids(stream) == list(range(1, feed.end(world.services, ORG) + 1))
    assert 55_000 <= world.clock.now_ms() - began_ms <= 55_500


async def test_a_feed_ends_by_its_response_alone_and_there_is_no_204(world: FollowedWorld) -> None:
    world.order()
    world.finish()
    source = EventSource()
    ended = feed.end(world.services, ORG)
    response = open_at(world, FeedRequest(after=ended))
    assert response.status == 200
    source.receive(b"".join(await chunks_of(response)))
    assert source.events == []
    assert source.comments[:3] == ["heartbeat"] * 3
    assert "reconnect" in source.comments[-1]


async def test_a_state_change_says_whose_it_is_and_where_there(world: FollowedWorld) -> None:
    first, second = world.order(), world.order()
    bodies = [json.loads(event.data) for event in parse(await stream_of(world))]
    assert [(body["workflowExecutionId"], body["sequence"]) for body in bodies] == [
        (execution, sequence) for execution in (first, second) for sequence in (1, 2, 3)
    ]
    assert {event.type for event in parse(await stream_of(world))} == {"data"}
    assert [body["event"] for body in bodies[:3]] == ["WORKFLOW_STARTED", "TASK_CREATED", "WORKFLOW_SUSPENDED"]
    assert all({"type", "event", "data", "timestampMs"} < body.keys() for body in bodies)


async def test_a_cloud_event_is_the_one_that_its_log_shows(world: FollowedWorld) -> None:
    execution = world.order()
    world.order()
    frames = parse(await stream_of(world, FeedRequest(format=StreamFormat.CLOUDEVENTS)))
    events = [json.loads(frame.data) for frame in frames]
    assert [frame.last_event_id for frame in frames] == ["1", "2", "3", "4", "5", "6"]
    assert [event["sequence"] for event in events] == [1, 2, 3, 1, 2, 3]
    assert events[0]["source"] == f"/api/orgs/{ORG}/workflow-executions/{execution}"
    assert len({(event["source"], event["id"]) for event in events}) == 6


async def test_who_begins_now_gets_what_comes_and_is_told_where_that_is_at_once(world: FollowedWorld) -> None:
    world.order()
    world.after_ms(20_000, world.order)
    chunks = await chunks_of(open_at(world, FeedRequest(after=None)))
    source = EventSource()
    source.receive(b"".join(chunks[:2]))
    assert (source.last_event_id, source.events) == ("3", [])
    source.receive(b"".join(chunks[2:]))
    assert [event.last_event_id for event in source.events] == ["4", "5", "6"]


async def test_who_begins_now_and_is_cut_off_at_once_misses_nothing(world: FollowedWorld) -> None:
    world.order()
    body = cast("Any", open_at(world, FeedRequest(after=None)).body)
    source = EventSource()
    async with aclosing(body):
        source.receive(await anext(body) + await anext(body))
    world.order()
    source.receive(await stream_of(world, FeedRequest(after=int(source.last_event_id))))
    assert [event.last_event_id for event in source.events] == ["4", "5", "6"]


async def test_under_a_filter_heartbeats_tell_how_far_the_feed_was_read(world: FollowedWorld) -> None:
    world.order()
    world.after_ms(20_000, world.finish)
    chunks = await chunks_of(open_at(world, FeedRequest(types=frozenset({EventType.WORKFLOW_COMPLETED}))))
    source = EventSource()
    positions = []
    for chunk in chunks:
        source.receive(chunk)
        positions.append(source.last_event_id)
    ended = str(feed.end(world.services, ORG))
    assert [json.loads(event.data)["event"] for event in source.events] == ["WORKFLOW_COMPLETED"]
    assert "3" in positions, "a heartbeat before anything matched"
    assert source.last_event_id == ended


def test_a_position_beyond_the_end_is_refused_before_the_first_byte(world: FollowedWorld) -> None:
    world.order()
    with pytest.raises(InvalidInput) as refused:
        open_at(world, FeedRequest(after=4))
    assert refused.value.code == "POSITION_BEYOND_TAIL"


def test_a_position_behind_what_is_kept_is_gone_before_the_first_byte(world: FollowedWorld) -> None:
    world.order()
    world.clock.sleep_ms(world.services.settings.feed_ms + 1)
    with pytest.raises(Gone) as refused:
        open_at(world, FeedRequest(after=1))
    assert refused.value.code == "FEED_EXPIRED"


async def test_what_is_not_kept_any_more_is_passed_over_by_who_has_nothing_of_it(world: FollowedWorld) -> None:
    world.order()
    world.clock.sleep_ms(world.services.settings.feed_ms + 1)
    world.order()
    assert ids(await stream_of(world)) == [4, 5, 6]


async def test_an_empty_feed_waits_for_its_first_event(world: FollowedWorld) -> None:
    world.after_ms(40_000, world.order)
    assert ids(await stream_of(world)) == [1, 2, 3]


async def test_waiting_is_adaptive(world: FollowedWorld) -> None:
    await stream_of(world)
    assert world.waits[0] == 100
    assert max(world.waits) == 500
    assert len(world.waits) < 130


async def test_a_store_that_is_away_for_a_while_is_waited_for(world: FollowedWorld) -> None:
    world.order()
    response = open_at(world)
    fails = iter([StoreUnavailable("away")] * 3)
    read = feed.read

    def flaky(*arguments: Any, **options: Any) -> Any:
        for failure in fails:
            raise failure
        return read(*arguments, **options)

    with patch.object(feed, "read", flaky):
        assert ids(b"".join(await chunks_of(response))) == [1, 2, 3]


async def test_two_clients_see_the_same(world: FollowedWorld) -> None:
    world.order()
    world.after_ms(10_000, world.order)
    first, second = await asyncio.gather(stream_of(world), stream_of(world))
    assert parse(first) == parse(second)
    assert ids(first) == [1, 2, 3, 4, 5, 6]


async def test_long_feeds_come_in_bounded_chunks(world: FollowedWorld) -> None:
    for _ in range(45):
        world.begin(order)
    world.project()
    chunks = await chunks_of(open_at(world))
    assert max(len(parse(chunk)) for chunk in chunks) <= 100
    assert ids(b"".join(chunks)) == list(range(1, 136))


@pytest.mark.parametrize("format", StreamFormat)
async def test_a_stream_cut_after_every_byte_and_resumed_is_the_uncut_stream(
    world: FollowedWorld, format: StreamFormat
) -> None:
    world.order()
    whole = await stream_of(world, FeedRequest(format=format))
    uncut = parse(whole)
    rest = {
        after: await stream_of(world, FeedRequest(after=after, format=format)) for after in range(len(uncut) + 1)
    }
    for cut in range(len(whole) + 1):
        source = EventSource()
        source.receive(whole[:cut])
        source.receive(rest[int(source.last_event_id or "0")])
        assert source.events == uncut, cut


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["order", "finish"]), max_size=5),
    cuts=st.lists(st.floats(0, 1), max_size=4),
    types=st.sampled_from([None, frozenset({EventType.TASK_CREATED, EventType.WORKFLOW_COMPLETED})]),
)
def test_a_live_feed_cut_anywhere_any_number_of_times_joins_up(
    steps: list[str], cuts: list[float], types: frozenset[EventType] | None
) -> None:
    world = FollowedWorld()
    world.order()
    for number, step in enumerate(steps, 1):
        world.after_ms(number * 9_000, partial(getattr(world, step)))
    source = EventSource()
    for share in [*cuts, 1.0, 1.0]:
        after = int(source.last_event_id or "0")
        stream = asyncio.run(stream_of(world, FeedRequest(after=after, types=types)))
        source.receive(stream[: round(len(stream) * share)])
    wanted = [one for one in whole_feed(world.services) if types is None or one.event.type in types]
    assert [int(event.last_event_id) for event in source.events] == [one.sequence for one in wanted]
