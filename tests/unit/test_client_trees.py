"""Clients that follow trees: every event of every log once and in order, over as many connections as it takes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx2
import pytest

from flowstrand.client import Client, SyncClient, TreeEvent
from flowstrand.errors import LogCorrupted, Unavailable, UnprocessableInput
from tests.unit.fake_api import CutConnection

EVENTS = [("R", 1), ("R", 2), ("R.c1", 1), ("R", 3), ("R.c1", 2), ("R", 4)]
SSE = {"content-type": "text/event-stream"}
Place: TypeAlias = tuple[str, int]


def frame(number: int) -> bytes:
    execution, sequence = EVENTS[number]
    is_end = (execution, sequence) in {("R.c1", 2), ("R", 4)}
    type = "WORKFLOW_COMPLETED" if is_end else "WORKFLOW_RESUMED"
    body = json.dumps({"type": "Event", "event": type, "data": {"id": execution}, "timestampMs": number})
    return f"id: {execution}:{sequence}:v{number}\nevent: data\ndata: {body}\n\n".encode()


@dataclass
class Trees:
    """A server with one tree. `cuts` says after how many bytes each of the next streams breaks."""

    cuts: list[int] = field(default_factory=list)
    answers: list[httpx2.Response | Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        assert request.url.path == "/api/orgs/acme/workflow-executions/R/stream/consolidated"
        last = request.headers.get("last-event-id", "")
        self.asked.append(last)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        begin = int(last.rpartition(":v")[2]) + 1 if last else 0
        if begin == len(EVENTS):
            return httpx2.Response(204)
        content = b"retry: 0\n\n" + b"".join(frame(number) for number in range(begin, len(EVENTS)))
        if self.cuts:
            return httpx2.Response(200, headers=SSE, stream=CutConnection(content[: self.cuts.pop(0)]))
        return httpx2.Response(200, headers=SSE, content=content)


@pytest.fixture
def trees() -> Trees:
    return Trees()


@pytest.fixture
async def client(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr("flowstrand.client.tree._DEFAULT_PAUSE_S", 0.0)
    transport = httpx2.MockTransport(trees.handle)
    async with Client("http://server", "key", "acme", transport=transport, patience_s=0.1) as made:
        yield made


@pytest.fixture
def sync_client(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncClient]:
    monkeypatch.setattr("flowstrand.client.tree._DEFAULT_PAUSE_S", 0.0)
    with SyncClient("http://server", "key", "acme", transport=httpx2.MockTransport(trees.handle)) as made:
        yield made


def place(event: TreeEvent) -> Place:
    return event.execution_id, event.sequence


async def test_a_tree_is_followed_to_the_end_of_everything(client: Client, trees: Trees) -> None:
    events = [event async for event in client.stream_tree("R")]
    assert [place(event) for event in events] == EVENTS
    assert [event.is_terminal for event in events] == [False] * 4 + [True, True]
    assert events[2].cursor == "R.c1:1:v2"
    assert events[2].timestamp_ms == 2
    assert trees.asked == ["", "R:4:v5"]


async def test_a_tree_cut_at_any_byte_goes_on_where_it_was(client: Client, trees: Trees) -> None:
    whole = sum(len(frame(number)) for number in range(len(EVENTS))) + 10
    for cut in range(0, whole, 7):
        trees.cuts = [cut, 15, cut // 2]
        assert [place(event) async for event in client.stream_tree("R")] == EVENTS, cut


def test_the_synchronous_client_does_the_same(sync_client: SyncClient, trees: Trees) -> None:
    trees.cuts = [200, 90]
    assert [place(event) for event in sync_client.stream_tree("R")] == EVENTS
    handle = sync_client._handle("R", None)
    assert [place(event) for event in handle.stream_tree(after="R:3:v3")] == EVENTS[4:]


async def test_a_handle_follows_its_own_tree(client: Client) -> None:
    assert [place(event) async for event in client._handle("R", None).stream_tree()] == EVENTS


async def test_a_gap_in_any_log_is_never_passed_over(client: Client, trees: Trees) -> None:
    trees.answers = [httpx2.Response(200, headers=SSE, content=frame(0) + frame(3))]
    with pytest.raises(LogCorrupted):
        [event async for event in client.stream_tree("R")]
    trees.answers = [httpx2.Response(200, headers=SSE, content=frame(0) + frame(0))]
    with pytest.raises(LogCorrupted):
        [event async for event in client.stream_tree("R")]


async def test_a_bare_id_moves_the_reader_on(client: Client, trees: Trees) -> None:
    trees.answers = [httpx2.Response(200, headers=SSE, content=b": heartbeat\nid: R:2:v1\n\n")]
    told = [place(event) async for event in client.stream_tree("R", after="R:1:v0")]
    assert told == EVENTS[2:]


async def test_a_stream_that_cannot_go_on_is_asked_for_again_and_refused(client: Client, trees: Trees) -> None:
    refusal = {"error": "too many", "code": "TOO_MANY_DESCENDANTS"}
    trees.answers = [
        httpx2.Response(
            200, headers=SSE, content=frame(0) + b"event: refused\ndata: " + json.dumps(refusal).encode() + b"\n\n"
        ),
        httpx2.Response(422, json=refusal),
    ]
    events = client.stream_tree("R")
    assert place(await anext(events)) == EVENTS[0]
    with pytest.raises(UnprocessableInput) as refused:
        await anext(events)
    assert refused.value.code == "TOO_MANY_DESCENDANTS"
    assert trees.asked == ["", "R:1:v0"]


async def test_a_server_that_is_away_is_given_up(
    client: Client, trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowstrand.client.tree._MAX_PAUSE_S", 0.0)
    trees.answers = [httpx2.Response(200, headers=SSE, stream=CutConnection(b"")) for _ in range(50)]
    with pytest.raises(Unavailable):
        [event async for event in client.stream_tree("R")]
