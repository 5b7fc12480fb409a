"""What has just been committed reaches those who wait for it without a read, and is what a read would have shown."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from flowstrand.engine.events import EventType, TaskCompleted
from flowstrand.engine.ids import channel_log_id
from flowstrand.engine.schema import PayloadRef
from flowstrand.local.changes import LocalChanges
from flowstrand.local.fresh_pages import FreshPages
from flowstrand.log.port import Commit, LogKey
from flowstrand.log.records import pack_record
from flowstrand.service import history
from flowstrand.service.shared_pages import Place, SharedPages
from flowstrand.streams.reader import LogReader
from tests.unit.every_event import KEY, data_of
from tests.unit.reading_world import ReadingWorld

AGES_MS = 10**15


class Server:
    """A world whose writers announce what they have committed."""

    def __init__(self) -> None:
        self.world = ReadingWorld()
        self.pages = SharedPages()
        self.changes = LocalChanges()
        self.fresh = FreshPages(self.pages, self.changes)
        self.services = replace(self.world.services, pages=self.pages, changes=self.changes)

    def write(self, *types: EventType) -> Commit:
        self.world.write(*types)
        return self._announced()

    def _announced(self) -> Commit:
        commit = self.world.log.tail(KEY)
        assert commit is not None
        self.fresh.announce(commit)
        return commit

    async def waiting_reader(self) -> tuple[LogReader, asyncio.Task[history.HistoryPage | None]]:
        """A reader that has read everything, and waits."""
        reader = LogReader(self.services, KEY, after=0)
        assert await reader.next_page(until_ms=AGES_MS) is not None
        waiting = asyncio.create_task(reader.next_page(until_ms=AGES_MS))
        while not self.changes.is_awaited(KEY):  # noqa: ASYNC110 - of another task
            await asyncio.sleep(0)
        return reader, waiting


@pytest.fixture
def server() -> Server:
    return Server()


async def test_what_is_waited_for_is_handed_over_unread(server: Server) -> None:
    server.write(EventType.WORKFLOW_STARTED)
    reader, waiting = await server.waiting_reader()
    server.write(EventType.TASK_CREATED, EventType.WORKFLOW_SUSPENDED)
    reads = server.world.log.reads
    page = await asyncio.wait_for(waiting, 10)
    assert server.world.log.reads == reads
    assert reader.position == 3
    assert page == history.page(server.services, KEY.org, KEY.execution_id, after=1)


async def test_the_end_is_handed_over_as_the_end(server: Server) -> None:
    server.write(EventType.WORKFLOW_STARTED)
    _, waiting = await server.waiting_reader()
    server.write(EventType.WORKFLOW_COMPLETED)
    page = await asyncio.wait_for(waiting, 10)
    assert page is not None
    assert page.is_final


def test_what_nobody_waits_for_is_not_kept(server: Server) -> None:
    server.write(EventType.WORKFLOW_STARTED)
    assert server.pages.at(Place(KEY, 0, None)) is None


async def test_what_has_to_be_fetched_is_left_to_the_reader(server: Server) -> None:
    server.write(EventType.WORKFLOW_STARTED)
    _, waiting = await server.waiting_reader()
    done = data_of(EventType.TASK_COMPLETED)
    assert isinstance(done, TaskCompleted)
    server.world.write(replace(done, output=PayloadRef("ab" * 32, 40_000)))
    commit = server._announced()
    assert server.pages.at(Place(KEY, commit.sequence - 1, None)) is None
    waiting.cancel()


async def test_who_waits_for_a_channel_is_told_of_a_commit_without_events(server: Server) -> None:
    key = LogKey(KEY.org, channel_log_id(0, bytes(10)))
    commit = Commit(key=key, sequence=2, count=1, events=pack_record(b"more"), written_at_ms=0, commit_id="c")
    waiting = asyncio.create_task(server.changes.changed(key, after=1, timeout_ms=AGES_MS))
    while not server.changes.is_awaited(key):  # noqa: ASYNC110 - of another task
        await asyncio.sleep(0)
    server.fresh.announce(commit)
    await asyncio.wait_for(waiting, 10)
    assert server.pages.at(Place(key, 1, None)) is None
