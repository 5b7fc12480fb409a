"""A live response ends by itself, with its last words, before something else ends it."""

from __future__ import annotations

import pytest

from flowstrand.engine.events import EventType
from flowstrand.streams.lasting import MARGIN_MS, lasting
from flowstrand.streams.live import LiveRequest, open_stream
from tests.unit.every_event import KEY
from tests.unit.reading_world import ReadingWorld
from tests.unit.sse_parser import EventSource


async def test_a_response_ends_while_there_is_time_to_say_so() -> None:
    world = ReadingWorld()
    world.write(EventType.WORKFLOW_STARTED)
    began, request = world.now, LiveRequest(types=frozenset({EventType.TASK_FAILED}))
    response = open_stream(lasting(world.services, 10_000), KEY.org, KEY.execution_id, request)
    assert response.body is not None
    source = EventSource()
    source.receive(b"".join([chunk async for chunk in response.body]))
    assert world.now - began == 10_000 - MARGIN_MS
    assert "reconnect" in source.comments[-1]
    assert source.last_event_id == "1"


@pytest.mark.parametrize("remaining_ms", [-1, 0, 1, MARGIN_MS])
def test_where_there_is_no_time_a_response_lasts_for_none(remaining_ms: int) -> None:
    assert lasting(ReadingWorld().services, remaining_ms).settings.stream_ms == 0


def test_where_there_is_time_enough_nothing_is_changed() -> None:
    services = ReadingWorld(stream_ms=55_000).services
    assert lasting(services, 55_000 + MARGIN_MS) is services


def test_what_readers_share_is_shared_however_long_they_last() -> None:
    services = ReadingWorld().services
    shorter = lasting(services, 10_000)
    assert (shorter.pages, shorter.lookouts) == (services.pages, services.lookouts)
