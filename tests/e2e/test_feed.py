"""The feed and tickets at a real server, over real connections, through a kill in the middle."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import aclosing

import httpx2

from flowstrand.client import FeedEvent
from tests.e2e.process import DevProcess
from tests.e2e.test_local_server import http


async def test_a_feed_has_everything_once_and_in_order_though_its_server_is_killed(server: DevProcess) -> None:
    async with server.client() as client:
        handles = [await client.start("steps", 3) for _ in range(2)]
        seen: list[FeedEvent] = []
        ended: set[str] = set()
        async with aclosing(client.feed()) as events:  # one reader over the kill: it goes on by position
            async for event in events:
                seen.append(event)
                if len(seen) == 7:
                    await asyncio.to_thread(server.kill)
                    await asyncio.to_thread(server.start)
                if event.type == "WORKFLOW_COMPLETED":
                    ended.add(event.log)
                if ended == {handle.id for handle in handles}:
                    break

        positions = [event.position for event in seen]
        assert positions == sorted(set(positions))
        by_log: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for event in seen:
            by_log[event.log].append((event.sequence, event.type))
        for handle in handles:
            history = [event async for event in handle.events()]
            kept = [(event.sequence, event.type) for event in history if not event.type.startswith("STREAM")]
            assert by_log[handle.id] == kept


def test_a_ticket_outlives_its_server_and_is_in_no_log_of_it(server: DevProcess) -> None:
    with http(server) as connection:
        ticket = connection.post("/api/orgs/dev/stream-tickets", json={"scope": "feed"}).json()["ticket"]
    server.kill()
    server.start()
    url = f"{server.url}/api/orgs/dev/events/stream"
    with httpx2.stream("GET", url, params={"ticket": ticket, "after": "now"}, timeout=30) as response:
        assert response.status_code == 200
        assert next(response.iter_text()).startswith("retry: ")
    assert httpx2.get(url, params={"ticket": f"{ticket}x"}, timeout=30).status_code == 401
    assert server.terminate() == 0
    assert ticket not in server.output.read_text(encoding="utf-8")


def test_a_page_of_another_origin_may_ask_and_read(server: DevProcess) -> None:
    origin = "https://app.example.com"
    asking = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    with httpx2.Client(base_url=server.url, timeout=30) as connection:
        preflight = connection.options("/api/orgs/dev/events/stream", headers=asking)
        refused = connection.get("/api/orgs/dev/events/stream", headers={"Origin": origin})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, "*")
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "*")
