"""Consolidated streams of random trees, through the logs as stores have them: cut at any frame, they join up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from flowstrand.engine.events import EventData
from flowstrand.engine.ids import OrgId
from flowstrand.log.port import LogKey
from flowstrand.streams.consolidated.source import ConsolidatedRequest, open_consolidated
from flowstrand.streams.response import StreamResponse
from tests.properties.forest import ROOT, Forest
from tests.unit.reading_world import ReadingWorld
from tests.unit.sse_parser import Dispatched, parse

ORG = OrgId("acme")


def stored(forest: Forest, dice: random.Random) -> ReadingWorld:
    """The forest's logs in a store; what happened at one time may have been one commit."""
    world = ReadingWorld()
    for log, events in forest.logs.items():
        commit: list[EventData] = []
        for event, following in zip(events, [*events[1:], None], strict=True):
            commit.append(event.data)
            is_same = following is not None and following.timestamp_ms == event.timestamp_ms
            if not is_same or dice.random() < 0.5:
                world.now = event.timestamp_ms
                world.write(*commit, key=LogKey(ORG, log))
                commit = []
    return world


def streams(world: ReadingWorld, after: str | None) -> Iterator[Dispatched]:
    """What a client gets that comes back until there is nothing more."""
    while (response := _open(world, after)).status == 200:
        for frame in parse(asyncio.run(_join(response))):
            after = frame.last_event_id
            yield frame


def _open(world: ReadingWorld, after: str | None) -> StreamResponse:
    return open_consolidated(world.services, LogKey(ORG, ROOT), ConsolidatedRequest(after=after))


async def _join(response: StreamResponse) -> bytes:
    assert response.body is not None
    return b"".join([chunk async for chunk in response.body])


@settings(max_examples=settings().max_examples // 4)
@given(st.integers(0, 2**32), st.integers(0, 70), st.booleans(), st.lists(st.floats(0, 1), max_size=6))
def test_a_stored_tree_cut_at_any_frame_joins_up(
    seed: int, steps: int, is_skewed: bool, cuts: list[float]
) -> None:
    forest = Forest(random.Random(seed), is_skewed=is_skewed)
    forest.grow(steps)
    forest.finish()
    world = stored(forest, random.Random(seed))
    whole = list(streams(world, None))
    told = [frame.last_event_id.split(":")[:2] for frame in whole]
    assert sorted(told) == sorted([log, str(sequence)] for log, sequence in forest.order)
    for cut in {round(share * (len(whole) - 1)) for share in cuts}:
        assert list(streams(world, whole[cut].last_event_id)) == whole[cut + 1 :], cut
