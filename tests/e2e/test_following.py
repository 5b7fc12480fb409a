"""Clients that follow an execution through what stands between them and the server (laws 1 and 2)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from flowstrand.client import Client, StreamEvent, SyncClient
from tests.e2e.process import KEY, DevProcess
from tests.e2e.proxies import buffering_proxy, cutting_proxy


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevProcess]:
    """One for all: nothing here harms it."""
    process = DevProcess(tmp_path_factory.mktemp("server"))
    try:
        process.start()
        yield process
    finally:
        process.close()


@pytest.fixture(params=["async", "sync"])
def follow(request: pytest.FixtureRequest) -> Any:
    """An iteration over the events of an execution, by either client."""

    async def streamed(url: str, execution: str, **options: Any) -> AsyncIterator[StreamEvent]:
        async with Client(url, KEY, "dev") as client:
            async for event in client.stream(execution, **options):
                yield event

    async def streamed_sync(url: str, execution: str, **options: Any) -> AsyncIterator[StreamEvent]:
        with SyncClient(url, KEY, "dev") as client:
            for event in client.stream(execution, **options):
                yield event

    return streamed_sync if request.param == "sync" else streamed


async def logged(server: DevProcess, execution: str) -> list[tuple[int, str]]:
    async with server.client() as client:
        return [(event.sequence, event.type) async for event in client.events(execution)]


async def test_a_reader_that_is_cut_off_again_and_again_misses_and_repeats_nothing(
    server: DevProcess, follow: Any
) -> None:
    async with server.client() as client:
        execution = (await client.start("steps", 6)).id
    shown = []
    with cutting_proxy(server.url) as proxy:
        async for event in follow(proxy.url, execution):
            shown.append((event.sequence, event.type))
            if event.sequence % 3 == 0:
                proxy.cut()
        assert proxy.cuts > 1
    assert shown == await logged(server, execution)


async def test_a_reader_behind_a_proxy_that_buffers_sees_events_while_the_execution_is_open(
    server: DevProcess, follow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowstrand.client.stream_route.FIRST_BYTE_S", 0.3)
    shown = []
    async with server.client() as client:
        execution = (await client.start("patient")).id
        with buffering_proxy(server.url) as url:
            async for event in follow(url, execution):
                shown.append((event.sequence, event.type))
                if event.type == "WORKFLOW_SUSPENDED":
                    await client.cancel(execution, force=True)
    assert shown[-1][1] == "WORKFLOW_CANCELLED"
    assert shown == await logged(server, execution)


async def test_a_reader_gives_up_at_its_deadline(server: DevProcess, follow: Any) -> None:
    async with server.client() as client:
        execution = (await client.start("patient")).id
    shown: list[int] = []

    async def until_the_deadline() -> None:
        async for event in follow(server.url, execution, timeout=2):
            shown.append(event.sequence)

    with pytest.raises(TimeoutError, match=f"{execution} is still open after 2 s"):
        await until_the_deadline()
    assert shown == [1, 2, 3]
