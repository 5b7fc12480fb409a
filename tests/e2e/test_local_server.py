"""The local server as a person meets it: a process, a port, a data folder, and a kill in the middle (laws 2, 8 and 9)."""

from __future__ import annotations

import asyncio
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from flowstrand.client import Handle, HistoryEvent
from flowstrand.errors import Unauthenticated
from tests.e2e.app import STEPS
from tests.e2e.process import KEY, DevProcess

RESULT = sum(range(STEPS))
EXECUTIONS = "/api/orgs/dev/workflow-executions"


def http(server: DevProcess, key: str = KEY) -> httpx2.Client:
    return httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


def curl(connection: httpx2.Client, path: str, **headers: str) -> list[str]:
    """The lines of a stream, as `curl -N` prints them."""
    with connection.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        return list(response.iter_lines())


def ids(lines: Sequence[str]) -> list[int]:
    return [int(line.removeprefix("id:")) for line in lines if line.startswith("id:")]


def assert_sound(events: Sequence[HistoryEvent]) -> None:
    """The log of `steps` is dense, ends once, and asked for and settled every step exactly once."""
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    types = [event.type for event in events]
    counts = Counter(types)
    assert (counts["WORKFLOW_STARTED"], counts["WORKFLOW_COMPLETED"], types[-1]) == (1, 1, "WORKFLOW_COMPLETED")
    for type in ("TASK_CREATED", "TASK_COMPLETED"):
        tasks = [event.data["taskExecutionId"] for event in events if event.type == type]
        assert len(tasks) == len(set(map(str, tasks))) == STEPS
    assert (counts["TIMER_STARTED"], counts["TIMER_FIRED"]) == (1, 1)


def test_a_run_is_streamed_1_to_n_and_then_204(server: DevProcess) -> None:
    with http(server) as connection:
        started = connection.post(EXECUTIONS, json={"kind": "steps", "input": 2})
        assert started.status_code == 201
        path = f"{EXECUTIONS}/{started.json()['workflowExecutionId']}"
        seen = ids(curl(connection, f"{path}/stream"))
        assert seen == list(range(1, len(seen) + 1))
        assert ids(curl(connection, f"{path}/stream", **{"Last-Event-ID": "3"})) == seen[3:]
        assert connection.get(f"{path}/stream", headers={"Last-Event-ID": str(seen[-1])}).status_code == 204
        page = connection.get(f"{path}/events", params={"after": 0, "wait": 1}).json()
        assert [event["sequence"] for event in page["events"]] == seen
        assert page["closed"]


async def test_catching_everything_around_a_wait_ends_nothing_early(server: DevProcess) -> None:
    async with server.client() as client:
        assert await client.start_and_wait("early", timeout=30) == "in time, cleaned 1 time"


@pytest.mark.parametrize("kills", [[4], [9, 21], [17, 33]])
async def test_a_server_killed_in_the_middle_finishes_without_a_gap(server: DevProcess, kills: list[int]) -> None:
    async with server.client() as client:
        handle = await client.start("steps")
        seen: list[int] = []
        async for event in handle.stream():  # one reader over every kill: it reconnects by sequence
            seen.append(event.sequence)
            if kills and event.sequence == kills[0]:
                kills.pop(0)
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
        assert await handle.result(timeout=30) == RESULT
        history = [event async for event in handle.events()]
    assert seen == [event.sequence for event in history]
    assert_sound(history)


async def test_what_a_killed_server_had_not_listed_yet_the_next_one_lists(server: DevProcess) -> None:
    async with server.client() as client:
        handles = [await client.start("steps", 1, metadata={"number": number}) for number in range(5)]
        for handle in handles:
            assert await handle.result(timeout=30) == 0
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        listed = [one async for one in client.executions(status="COMPLETED", page_size=2)]
        assert [one.id for one in listed] == [handle.id for handle in reversed(handles)]
        assert [one.current_sequence for one in listed] == [(await h.get()).current_sequence for h in handles]
        assert [one.id async for one in client.executions(metadata={"number": "3"})] == [handles[3].id]


async def test_a_restart_goes_on_with_what_was_waiting(server: DevProcess) -> None:
    async with server.client() as client:
        waiting = await client.start("patient")
        async for event in waiting.stream():
            if event.type == "WORKFLOW_SUSPENDED":
                break
        assert await asyncio.to_thread(server.terminate) == 0
        await asyncio.to_thread(server.start)
        assert (await waiting.get()).status == "WAITING"
        assert await client.start_and_wait("steps", timeout=30) == RESULT


async def test_a_task_that_runs_when_the_server_is_told_to_stop_is_reported_before_it_has_stopped(
    server: DevProcess,
) -> None:
    async with server.client() as client:
        handle = await client.start("long")
        async for event in handle.stream():
            if event.type == "TASK_STARTED":
                break
        assert server.terminate() == 0
        server.start()
        assert await handle.result(timeout=30) == 1
        assert [event.type async for event in handle.events()].count("TASK_STARTED") == 1


async def test_a_stop_does_not_wait_for_those_who_wait(server: DevProcess) -> None:
    async with server.client() as client:
        handle = await client.start("patient")
        streaming = asyncio.create_task(following(handle))
        polling = asyncio.create_task(client.history(handle.id, after=3, wait_s=20))
        async for event in handle.stream():
            if event.type == "WORKFLOW_SUSPENDED":
                break
        started_s = asyncio.get_running_loop().time()
        assert await asyncio.to_thread(server.terminate) == 0
        assert asyncio.get_running_loop().time() - started_s < 10
        for waiting in (streaming, polling):
            waiting.cancel()
        await asyncio.gather(streaming, polling, return_exceptions=True)
    assert "Traceback" not in server.output.read_text()


async def following(handle: Handle[Any]) -> list[int]:
    return [event.sequence async for event in handle.stream(after=3)]


def test_without_a_key_every_route_is_401(server: DevProcess) -> None:
    with httpx2.Client(base_url=server.url) as connection:
        for method, path in [("POST", EXECUTIONS), ("GET", f"{EXECUTIONS}/x/stream"), ("GET", f"{EXECUTIONS}/x")]:
            response = connection.request(method, path)
            assert (response.status_code, response.json()["code"]) == (401, "UNAUTHENTICATED")
    with http(server) as connection:
        assert connection.get("/api/orgs/other/workflow-executions/x").status_code == 404
        assert connection.get("/nowhere").json()["code"] == "ROUTE_NOT_FOUND"
        assert connection.post(EXECUTIONS, json={"kind": "unheard-of"}).json()["code"] == "UNKNOWN_WORKFLOW_KIND"


async def test_a_key_is_made_once_kept_private_and_shown(tmp_path: Path) -> None:
    server = DevProcess(tmp_path, key=None)
    try:
        server.start()
        kept = server.data / "dev-key"
        key = kept.read_text().strip()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert stat.S_IMODE((server.data / "lease-secret").stat().st_mode) == 0o600
        assert f"FLOWSTRAND_API_KEY={key}" in server.output.read_text()
        server.terminate()
        server.start()
        assert kept.read_text().strip() == key
        async with server.client(key) as client:
            assert await client.start_and_wait("steps", 1, timeout=30) == 0
        async with server.client("another") as client:
            with pytest.raises(Unauthenticated):
                await client.start("steps")
    finally:
        server.close()
