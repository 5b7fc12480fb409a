"""What a feed may be asked for over HTTP, and what it then begins with."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flowstrand.engine.ids import ExecutionId
from flowstrand.log.port import LogKey
from flowstrand.service.projection import project
from flowstrand.streams.response import StreamResponse
from tests.functions.requests import with_query
from tests.functions.stack import ACME, APPROVAL, CLAIMED, Stack, sample
from tests.functions.streamed import text_of
from tests.unit.sse_parser import EventSource, parse


def opened(stack: Stack, last_event_id: str | None = None, **query: str) -> StreamResponse:
    event = with_query(sample("stream/feed"), **query)
    if last_event_id is not None:
        event["headers"]["Last-Event-ID"] = last_event_id
    response: StreamResponse = stack.invoke("stream", event)
    return response


def sent(response: StreamResponse) -> bytes:
    async def collect() -> bytes:
        assert response.body is not None
        return b"".join([chunk async for chunk in response.body])

    assert response.status == 200
    return asyncio.run(collect())


@pytest.fixture
def projected(stack: Stack) -> Stack:
    """Two executions in the feed, of three and four events."""
    keys = {LogKey(ACME, ExecutionId(execution)): 1 for execution in (CLAIMED, APPROVAL)}
    assert project(stack.services, keys) == {}
    return stack


@pytest.mark.parametrize(
    ("query", "last_event_id", "pointer"),
    [
        ({"types": "task.fail"}, None, "/types"),
        ({"types": "*"}, None, "/types"),
        ({"types": "workflow"}, None, "/types"),
        ({"types": "task.*,nothing.*"}, None, "/types"),
        ({"format": "xml"}, None, "/format"),
        ({"after": "then"}, None, "/after"),
        ({"after": "NOW"}, None, "/after"),
        ({"after": "-1"}, None, "/after"),
        ({"after": ""}, None, "/after"),
        ({"after": "9" * 16}, None, "/after"),
        ({}, "now", "/Last-Event-ID"),
        ({}, "-1", "/Last-Event-ID"),
    ],
    ids=str,
)
def test_a_bad_question_is_400_and_pointed_at(
    projected: Stack, query: dict[str, str], last_event_id: str | None, pointer: str
) -> None:
    response = opened(projected, last_event_id, **query)
    body: dict[str, Any] = text_of(response)
    assert (response.status, body["code"]) == (400, "INVALID_INPUT")
    assert pointer in {detail["pointer"] for detail in body["details"]}


@pytest.mark.parametrize(
    ("query", "last_event_id", "first"),
    [
        ({}, None, 1),
        ({"after": "0"}, None, 1),
        ({"after": "3"}, None, 4),
        ({"after": "1"}, "5", 6),
        ({"after": "now"}, "2", 3),
        ({"after": "6"}, "", 7),
        ({"after": "now"}, None, None),
        ({}, "7", None),
    ],
    ids=str,
)
def test_a_last_event_id_beats_a_position_and_both_beat_the_beginning(
    projected: Stack, query: dict[str, str], last_event_id: str | None, first: int | None
) -> None:
    events = parse(sent(opened(projected, last_event_id, **query)))
    assert [int(event.last_event_id) for event in events] == ([] if first is None else list(range(first, 8)))


def test_names_public_names_and_families_may_be_mixed(projected: Stack) -> None:
    source = EventSource()
    source.receive(sent(opened(projected, types="workflow.started, TASK_CREATED,promise.*")))
    assert len(source.events) == 4
    assert source.last_event_id == "7"
