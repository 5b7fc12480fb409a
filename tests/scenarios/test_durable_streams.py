"""Executions and the org's feed under the Durable Streams protocol: the same events as everywhere, in the same order (S1, S16)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flowstrand.service import mending
from tests.scenarios.durable import CHANNELS, EXECUTIONS, FEED, Said, create, read, say, whole
from tests.scenarios.world import World


def s1(world: World) -> str:
    """A workflow that sees its task fail, and completes."""
    execution = world.start("catches")
    world.settle()
    world.fail(world.claim("fails")["fails"])
    world.settle()
    return execution


def events(said: Said) -> list[tuple[str, str]]:
    """The protocol's SSE events, each with its data."""
    found: list[tuple[str, str]] = []
    for block in said.body.decode().split("\n\n"):
        lines = block.split("\n")
        data = [line.removeprefix("data:") for line in lines if line.startswith("data:")]
        found += [(line.removeprefix("event: "), "\n".join(data)) for line in lines if line.startswith("event: ")]
    return found


def test_an_executions_messages_are_its_history_and_it_is_closed_when_it_has_ended(world: World) -> None:
    execution = s1(world)
    path = f"{EXECUTIONS}/{execution}"
    history = world.request("GET", f"/workflow-executions/{execution}/events").body["events"]

    pages = whole(world, path)

    messages = [message for page in pages for message in json.loads(page.body)]
    assert messages == history
    assert [message["sequence"] for message in messages] == [*range(1, len(history) + 1)]
    types = [message["type"] for message in messages]
    assert types.index("TASK_FAILED") < types.index("WORKFLOW_COMPLETED")
    assert pages[-1].headers["stream-closed"] == "true"
    head = say(world, "HEAD", path)
    assert (head.status, head.offset, head.headers["stream-closed"]) == (200, pages[-1].offset, "true")


def test_reading_on_from_any_offset_over_any_transport_brings_each_event_once(world: World) -> None:
    execution = s1(world)
    path = f"{EXECUTIONS}/{execution}"
    history = json.loads(say(world, "GET", path).body)
    for position in range(len(history) + 1):
        query = {"offset": f"{position:016d}"}
        page = say(world, "GET", path, query=query)
        assert json.loads(page.body) == history[position:]
        held = say(world, "GET", path, query={**query, "live": "long-poll"})
        assert (held.status, held.headers["stream-closed"]) == (200 if history[position:] else 204, "true")
        shown = events(say(world, "GET", path, query={**query, "live": "sse"}))
        data = [json.loads(text) for name, text in shown if name == "data"]
        assert [one for batch in data for one in batch] == history[position:]
        last = json.loads(shown[-1][1])
        assert (shown[-1][0], last["streamClosed"], last["streamNextOffset"]) == ("control", True, page.offset)
        assert "streamCursor" not in last


def test_nobody_but_itself_writes_to_an_execution_or_the_feed(world: World) -> None:
    execution = s1(world)
    for path in (f"{EXECUTIONS}/{execution}", FEED):
        for method in ("PUT", "POST", "DELETE"):
            refused = say(world, method, path, b"[]", Content_Type="application/json")
            assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_the_feeds_messages_name_their_logs_and_come_once(world: World) -> None:
    executions = [s1(world), s1(world)]
    mending.run(world.services)

    pages = whole(world, FEED)
    messages: list[Any] = [message for page in pages for message in json.loads(page.body)]

    assert [message["sequence"] for message in messages] == [*range(1, len(messages) + 1)]
    for execution in executions:
        history = world.request("GET", f"/workflow-executions/{execution}/events").body["events"]
        assert [m["event"] for m in messages if m["workflowExecutionId"] == execution] == history
    assert "stream-closed" not in pages[-1].headers
    assert say(world, "HEAD", FEED).offset == pages[-1].offset
    assert say(world, "GET", FEED, query={"offset": "now", "live": "long-poll"}).status == 204


@pytest.mark.parametrize(
    "query", [{"live": "sse"}, {"live": "now"}, {"offset": "5"}, {"offset": "", "live": "sse"}, {"cursor": "x"}]
)
def test_what_a_reader_cannot_ask_for_is_400(world: World, query: dict[str, str]) -> None:
    create(world, "asked", b"x")
    assert say(world, "GET", f"{CHANNELS}/asked", query=query).status == 400


def test_a_tag_that_a_reader_has_spares_it_the_body_until_there_is_more(world: World) -> None:
    create(world, "tagged", b"x")
    tag = read(world, "tagged").headers["etag"]
    same = say(world, "GET", f"{CHANNELS}/tagged", If_None_Match=f'"other", {tag}')
    assert (same.status, same.body, same.headers["etag"]) == (304, b"", tag)
    say(world, "POST", f"{CHANNELS}/tagged", Stream_Closed="true")
    assert say(world, "GET", f"{CHANNELS}/tagged", If_None_Match=tag).status == 200


def test_a_cursor_is_greater_than_the_one_that_came_with_the_request(world: World) -> None:
    create(world, "cursors", b"x")
    first = int(read(world, "cursors", live="long-poll").headers["stream-cursor"])
    for given in (first - 1, first, first + 10**6):
        assert int(read(world, "cursors", live="long-poll", cursor=str(given)).headers["stream-cursor"]) > given


def test_text_in_events_is_as_it_was_written_but_for_the_ends_of_its_lines(world: World) -> None:
    create(world, "text", b" indented\r\n\r\nevent: control\rdata: {}\n", "text/plain")
    say(world, "POST", f"{CHANNELS}/text", Stream_Closed="true")
    body = read(world, "text", live="sse").body.decode()
    assert body.startswith(
        "event: data\ndata:  indented\ndata:\ndata:event: control\ndata:data: {}\ndata:\n\nevent: control\n"
    )
