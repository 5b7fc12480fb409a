"""The feed and tickets from Python: every event once and in order, wherever connections are cut; nothing of a ticket in a repr."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass, field

import httpx2
import pytest

from flowstrand.client import Client, FeedEvent, SyncClient
from flowstrand.client.feed import FeedPosition
from flowstrand.errors import Gone, InvalidDefinition, LogCorrupted, Unavailable
from tests.unit.fake_api import CutConnection

FRESH = b"retry: 0\n\n"
COUNT = 5


def frame(position: int, log: str = "workflowExecutionId") -> bytes:
    body = {
        "type": "Event",
        "event": "TASK_CREATED",
        "data": {"id": f"t{position}"},
        "timestampMs": position,
        log: f"e{position % 2}",
        "sequence": position // 2 + 1,
    }
    return f"id: {position}\nevent: data\ndata: {json.dumps(body)}\n\n".encode()


@dataclass
class FeedApi:
    """A feed of five events; `cuts` says after how many bytes each of the next responses breaks, `answers` what comes instead."""

    cuts: list[int] = field(default_factory=list)
    answers: list[bytes | httpx2.Response | Exception] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self.handle)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else self.frames(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx2.Response):
            return answer
        headers = {"content-type": "text/event-stream"}
        if self.cuts:
            return httpx2.Response(200, headers=headers, stream=CutConnection(answer[: self.cuts.pop(0)]))
        return httpx2.Response(200, headers=headers, content=answer)

    def frames(self, request: httpx2.Request) -> bytes:
        given = request.headers.get("last-event-id")
        if given is None and request.url.params.get("after") == "now":
            return FRESH + b": from here\nid: 5\n\n"
        return FRESH + b"".join(frame(position) for position in range(int(given or 0) + 1, COUNT + 1))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FeedApi:
    monkeypatch.setattr("flowstrand.client.feed._DEFAULT_PAUSE_S", 0.0)
    return FeedApi()


@pytest.fixture
async def client(api: FeedApi) -> AsyncIterator[Client]:
    async with Client("http://server", "key", "acme", transport=api.transport, patience_s=0.1) as made:
        yield made


@pytest.fixture
def sync_client(api: FeedApi) -> Iterator[SyncClient]:
    with SyncClient("http://server", "key", "acme", transport=api.transport, patience_s=0.1) as made:
        yield made


async def taken(
    client: Client, count: int, *, after: FeedPosition = 0, types: tuple[str, ...] = ()
) -> list[FeedEvent]:
    found: list[FeedEvent] = []
    async with aclosing(client.feed(after=after, types=types)) as events:
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


async def test_events_say_whose_they_are_and_where(client: Client) -> None:
    first, second, *_ = await taken(client, COUNT)
    assert (first.position, first.log, first.sequence, first.type) == (1, "e1", 1, "TASK_CREATED")
    assert (first.data, first.timestamp_ms) == ({"id": "t1"}, 1)
    assert (second.position, second.log, second.sequence) == (2, "e0", 2)


async def test_a_standalone_tasks_events_name_the_task(api: FeedApi, client: Client) -> None:
    api.answers = [FRESH + frame(1, "taskExecutionId")]
    assert [event.log for event in await taken(client, 1)] == ["e1"]


async def test_an_event_larger_than_a_mebibyte_is_read(api: FeedApi, client: Client) -> None:
    padding = " " * (2 << 20)
    api.answers = [FRESH + frame(1).replace(b'"data": {', b'"data": {' + padding.encode())]
    assert [event.position for event in await taken(client, 1)] == [1]


async def test_a_feed_cut_at_any_byte_goes_on_where_it_was(api: FeedApi, client: Client) -> None:
    whole = len(FRESH + b"".join(map(frame, range(1, COUNT + 1))))
    for cut in range(0, whole, 7):
        api.cuts = [cut, cut // 2]
        assert [event.position for event in await taken(client, COUNT)] == [1, 2, 3, 4, 5], cut


def test_a_synchronous_feed_cut_at_any_byte_goes_on_where_it_was(api: FeedApi, sync_client: SyncClient) -> None:
    whole = len(FRESH + b"".join(map(frame, range(1, COUNT + 1))))
    for cut in range(0, whole, 7):
        api.cuts = [cut]
        with closing(sync_client.feed()) as events:
            assert [event.position for event in itertools.islice(events, COUNT)] == [1, 2, 3, 4, 5], cut


async def test_it_goes_on_from_a_position_that_was_kept(api: FeedApi, client: Client) -> None:
    assert [event.position for event in await taken(client, 2, after=3)] == [4, 5]
    assert api.requests[0].headers["last-event-id"] == "3"


async def test_from_now_on_is_asked_for_once_and_then_gone_on_from(api: FeedApi, client: Client) -> None:
    api.answers = [FRESH + b": from here\nid: 5\n\n", FRESH + frame(6)]
    assert [event.position for event in await taken(client, 1, after="now")] == [6]
    first, second = api.requests
    assert (first.url.params["after"], "last-event-id" in first.headers) == ("now", False)
    assert ("after" in second.url.params, second.headers["last-event-id"]) == (False, "5")


async def test_what_a_filter_left_out_is_not_read_again(api: FeedApi, client: Client) -> None:
    api.answers = [FRESH + b": heartbeat\nid: 40\n\n", FRESH + frame(41)]
    assert [event.position for event in await taken(client, 1, types=("task.*", "TIMER_FIRED"))] == [41]
    assert api.requests[0].url.params["types"] == "task.*,TIMER_FIRED"
    assert api.requests[1].headers["last-event-id"] == "40"


async def test_a_clean_end_of_a_response_is_no_end_of_the_feed(api: FeedApi, client: Client) -> None:
    api.answers = [FRESH, FRESH + frame(1), FRESH, FRESH + frame(2)]
    assert [event.position for event in await taken(client, 2)] == [1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        frame(1) + frame(1),
        frame(2) + frame(1),
        b"id: x\ndata: {}\n\n",
        b"id: 1\nevent: data\ndata: [\n\n",
        b"id: 1\nevent: data\ndata: []\n\n",
        b"id: 1\nevent: data\ndata: {}\n\n",
        b"event: data\ndata: {}\n\n",
    ],
    ids=["repeated", "back", "no position", "cut JSON", "no object", "no event", "no id"],
)
async def test_what_does_not_go_forward_or_is_no_event_is_never_passed_over(
    api: FeedApi, client: Client, wrong: bytes
) -> None:
    api.answers = [FRESH + wrong]
    with pytest.raises(LogCorrupted):
        await taken(client, 3)


async def test_past_what_is_kept_it_says_so(api: FeedApi, client: Client) -> None:
    api.answers = [httpx2.Response(410, json={"error": "no longer kept", "code": "FEED_EXPIRED"})]
    with pytest.raises(Gone) as gone:
        await taken(client, 1, after=1)
    assert gone.value.code == "FEED_EXPIRED"


async def test_a_server_that_stays_away_is_given_up(api: FeedApi, client: Client) -> None:
    api.answers = [httpx2.ConnectError("refused") for _ in range(100)]
    with pytest.raises(Unavailable):
        await taken(client, 1)


# --- tickets --------------------------------------------------------------------------------------


def answered(api: FeedApi, scope: str, id: str | None) -> None:
    body = {"ticket": "h.secret.s", "scope": scope, "expiresAt": "2026-11-23T09:05:00.000Z"}
    api.answers = [httpx2.Response(201, json=body if id is None else {**body, "id": id})]


async def test_a_ticket_is_for_what_is_named(api: FeedApi, client: Client) -> None:
    task = "01JDX5K7Q2ZB4M8N0P3R6T9V1X.t0"
    answered(api, "execution", "e1")
    ticket = await client.stream_ticket("e1", ttl=90.5)
    assert (ticket.ticket, ticket.scope, ticket.id) == ("h.secret.s", "execution", "e1")
    assert "secret" not in repr(ticket)
    answered(api, "feed", None)
    assert (await client.stream_ticket()).id is None
    answered(api, "channel", "chat")
    await client.stream_ticket(channel="chat")
    answered(api, "task", task)
    await client.stream_ticket(task)
    assert [json.loads(request.content) for request in api.requests] == [
        {"scope": "execution", "id": "e1", "ttlSeconds": 91},
        {"scope": "feed"},
        {"scope": "channel", "id": "chat"},
        {"scope": "task", "id": task},
    ]


def test_the_synchronous_client_has_tickets_too(api: FeedApi, sync_client: SyncClient) -> None:
    answered(api, "feed", None)
    assert sync_client.stream_ticket().scope == "feed"


async def test_a_ticket_is_for_one_thing(client: Client) -> None:
    with pytest.raises(InvalidDefinition):
        await client.stream_ticket("e1", channel="chat")
