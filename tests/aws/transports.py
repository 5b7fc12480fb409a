"""The ways to read a log over HTTP. Each gives `(sequence, type)` of every event, in the order of its arrival."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from flowstrand.engine.events import EventType
from flowstrand.views.public_name import public_name
from tests.aws.stack import Stack
from tests.unit.sse_parser import Dispatched, EventSource

TYPES = {public_name(event_type): event_type.value for event_type in EventType}
Row: TypeAlias = tuple[int, str]
Transport: TypeAlias = Callable[[Stack, str], list[Row]]


def history(stack: Stack, execution: str, limit: int = 3) -> list[Row]:
    """Page after page."""
    rows: list[Row] = []
    while True:
        page = stack.events(execution, after=len(rows), limit=limit)
        rows += [(event["sequence"], event["type"]) for event in page["events"]]
        if page["upToDate"]:
            return rows


def long_poll(stack: Stack, execution: str) -> list[Row]:
    """With `wait`, until the end."""
    return [(int(str(event["sequence"])), str(event["type"])) for event in stack.await_end(execution)]


def sse_state(stack: Stack, execution: str) -> list[Row]:
    """Server-Sent Events in the format of existing front ends, until the end."""
    frames = frames_of(stack, f"/workflow-executions/{execution}/stream", format="state")
    return [(int(frame.last_event_id), json.loads(frame.data)["event"]) for frame in frames]


def sse_cloudevents(stack: Stack, execution: str) -> list[Row]:
    """Server-Sent Events that hold CloudEvents, until the end."""
    frames = frames_of(stack, f"/workflow-executions/{execution}/stream", format="cloudevents")
    events = [json.loads(frame.data) for frame in frames]
    assert [int(frame.last_event_id) for frame in frames] == [int(event["sequence"]) for event in events]
    return [(int(event["sequence"]), TYPES[event["type"]]) for event in events]


LIVE: tuple[Transport, ...] = (long_poll, sse_state, sse_cloudevents)
"""Those that follow an execution while it runs."""


def follow(stack: Stack, execution: str) -> list[Row]:
    """The execution's events, read in every way at once while it runs, and again when it has ended; all must agree."""
    with ThreadPoolExecutor(len(LIVE)) as readers:
        live = list(readers.map(lambda transport: transport(stack, execution), LIVE))
    rows = history(stack, execution)
    for transport, seen in zip(LIVE, live, strict=True):
        assert seen == rows, f"{transport.__name__}, live, and history differ"
    assert sse_state(stack, execution) == rows, "Server-Sent Events, afterwards, and history differ"
    return rows


def frames_of(stack: Stack, path: str, **query: str) -> list[Dispatched]:
    """What an `EventSource` dispatches that reconnects until it is told that there is nothing more."""
    source = EventSource()
    while True:
        answer = stack.stream(path, after=source.last_event_id, **query)
        if answer.status == 204:
            return source.events
        assert answer.status in {200, 429, 502, 503, 504}, answer
        if answer.status == 200:
            source.receive(answer.body)
