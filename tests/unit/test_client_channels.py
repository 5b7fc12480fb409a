"""Channels from the client: what it sends, what it makes of answers, and what it repeats."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from flowstrand.client import ChannelPage, Client, Producer, SyncClient
from flowstrand.errors import Conflict, Unavailable

OFFSET = "01KAY00000000000000000CHAN_0000000000000007"


class Server:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = [*answers]
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> SyncClient:
        """A client of it."""
        return SyncClient(api_key="k", org="acme", transport=httpx2.MockTransport(self))


def answer(status: int, content: bytes = b"", **headers: str) -> httpx2.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, content=content, headers={"Stream-Next-Offset": OFFSET, **given})


def test_what_a_channel_is_made_with_is_in_the_head() -> None:
    server = Server(answer(201, Content_Type="text/plain", Stream_Expires_At="2026-11-23T12:00:00.000Z"))
    made = server.client().channels.create(
        "build 42",
        content_type="text/plain",
        content=b"begin\n",
        is_closed=True,
        expires_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )
    (request,) = server.requests
    assert request.url.raw_path == b"/v1/stream/orgs/acme/channels/build%2042"
    assert (request.method, request.content) == ("PUT", b"begin\n")
    sent = ("Content-Type", "Stream-Expires-At", "Stream-Closed")
    assert [request.headers[name] for name in sent] == ["text/plain", "2026-11-23T12:00:00+00:00", "true"]
    assert (made.offset, made.content_type, made.expires_at) == (OFFSET, "text/plain", "2026-11-23T12:00:00.000Z")


def test_a_time_to_live_is_in_seconds() -> None:
    server = Server(answer(201))
    server.client().channels.create("chat", ttl=timedelta(hours=1))
    assert server.requests[0].headers["Stream-TTL"] == "3600"


@pytest.mark.parametrize(
    "call",
    [
        lambda channels: channels.create("chat", colour="red"),
        lambda channels: channels.append("chat", 1, colour="red"),
        lambda channels: channels.create("chat", expires_at=datetime(2026, 1, 1)),  # noqa: DTZ001 - the fault
    ],
    ids=["option of a channel", "option of an append", "time without a zone"],
)
def test_what_there_is_not_is_refused_before_anything_is_sent(call: Callable[[Any], Any]) -> None:
    server = Server()
    with pytest.raises((TypeError, ValueError)):
        call(server.client().channels)
    assert server.requests == []


def test_messages_are_sent_together_each_as_it_is() -> None:
    server = Server(answer(204))
    assert server.client().channels.append("chat", [1], {"\u00fc": None}, seq="7") == OFFSET
    (request,) = server.requests
    assert json.loads(request.content) == [[1], {"\u00fc": None}]
    assert (request.headers["Content-Type"], request.headers["Stream-Seq"]) == ("application/json", "7")


def test_an_append_is_repeated_for_a_producer_and_for_nobody_else() -> None:
    lost = httpx2.ReadError("the reply was lost")
    server = Server(lost, answer(200), lost)
    client = server.client()
    producer = Producer("p", epoch=3, sequence=8)

    assert client.channels.append("chat", 1, producer=producer) == OFFSET
    with pytest.raises(Unavailable):
        client.channels.append("chat", 1)

    first, second, _ = server.requests
    assert first.content == second.content
    assert [second.headers[f"Producer-{name}"] for name in ("Id", "Epoch", "Seq")] == ["p", "3", "8"]
    assert producer.next() == Producer("p", epoch=3, sequence=9)


def test_a_refusal_keeps_its_code() -> None:
    server = Server(httpx2.Response(409, json={"error": "no", "code": "CHANNEL_CLOSED"}))
    with pytest.raises(Conflict) as refused:
        server.client().channels.append("chat", 1)
    assert refused.value.code == "CHANNEL_CLOSED"


def test_an_answer_of_something_else_is_noticed() -> None:
    with pytest.raises(Unavailable):
        Server(httpx2.Response(200, html="<p>hello</p>")).client().channels.get("chat")


def following() -> Server:
    """A channel that brings something, then nothing for a while, then something, and is closed."""
    return Server(
        answer(200, b"[1]", Stream_Cursor="5"),
        answer(204, Stream_Cursor="6", Stream_Up_To_Date="true"),
        answer(200, b"[2,3]", Stream_Cursor="7"),
        answer(204, Stream_Closed="true"),
    )


def test_to_follow_is_to_wait_again_and_again_until_it_is_closed() -> None:
    server = following()
    pages = [*server.client().channels.follow("chat", "now")]
    assert [page.messages for page in pages] == [[1], [2, 3]]
    asked = [dict(request.url.params) for request in server.requests]
    assert asked == [
        {"offset": "now", "live": "long-poll"},
        *({"offset": OFFSET, "live": "long-poll", "cursor": cursor} for cursor in ("5", "6", "7")),
    ]


async def test_so_it_is_asynchronously() -> None:
    server = following()
    async with Client(api_key="k", org="acme", transport=httpx2.MockTransport(server)) as client:
        pages: list[ChannelPage] = [page async for page in client.channels.follow("chat", "now")]
        server.answers = [
            answer(201),
            answer(204),
            answer(204),
            answer(204),
            answer(200),
            answer(200, b"[]"),
            answer(204),
        ]
        await client.channels.create("chat")
        await client.channels.append("chat", 1)
        await client.channels.append_bytes("chat", b"x", "text/plain")
        await client.channels.close("chat")
        await client.channels.get("chat")
        assert (await client.channels.read("chat")).messages == []
        await client.channels.delete("chat")
    assert [page.messages for page in pages] == [[1], [2, 3]]
    methods = [request.method for request in server.requests[4:]]
    assert methods == ["PUT", "POST", "POST", "POST", "HEAD", "GET", "DELETE"]
