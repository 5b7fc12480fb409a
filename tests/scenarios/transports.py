"""The ways a client can read a log. Each gives `(sequence, type)` of every event, in the order of its arrival."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TypeAlias

from flowstrand.engine.events import EventType
from flowstrand.views.public_name import public_name
from tests.scenarios.world import World
from tests.unit.sse_parser import parse

_TYPES = {public_name(event_type): event_type.value for event_type in EventType}
_ENDS = {"WORKFLOW_COMPLETED", "WORKFLOW_FAILED"}
Row: TypeAlias = tuple[int, str]
Transport: TypeAlias = Callable[[World, str], list[Row]]


def history(world: World, execution: str) -> list[Row]:
    """Page after page, five events each."""
    return list(_pages(world, execution, limit="5"))


def long_poll(world: World, execution: str) -> list[Row]:
    """The same with `wait`."""
    return list(_pages(world, execution, wait="1"))


def sse_state(world: World, execution: str) -> list[Row]:
    """Server-Sent Events in the format of existing front ends."""
    frames = parse(world.stream(execution, format="state"))
    return [(int(frame.last_event_id), json.loads(frame.data)["event"]) for frame in frames]


def sse_cloudevents(world: World, execution: str) -> list[Row]:
    """Server-Sent Events that hold CloudEvents."""
    frames = parse(world.stream(execution, format="cloudevents"))
    events = [json.loads(frame.data) for frame in frames]
    assert [int(frame.last_event_id) for frame in frames] == [int(event["sequence"]) for event in events]
    return [(int(event["sequence"]), _TYPES[event["type"]]) for event in events]


def collector(world: World, execution: str) -> list[Row]:
    """A client that stops at the terminal event: it cannot have missed what came before."""
    rows: list[Row] = []
    for row in _pages(world, execution, limit="4"):
        rows.append(row)
        if row[1] in _ENDS:
            break
    return rows


TRANSPORTS: tuple[Transport, ...] = (history, long_poll, sse_state, sse_cloudevents, collector)


def _pages(world: World, execution: str, **query: str) -> Iterator[Row]:
    after = 0
    while True:
        answer = world.request("GET", f"{world.path(execution)}/events", after=str(after), **query)
        assert answer.status == 200, answer
        for event in answer.body["events"]:
            yield event["sequence"], event["type"]
        after = answer.body["nextAfter"]
        if answer.body["upToDate"]:
            return
