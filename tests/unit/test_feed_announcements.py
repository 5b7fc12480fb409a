"""Locally, whoever follows a feed is told as soon as the projector has been there, and looks again anyhow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from flowstrand.engine.events import EventType
from flowstrand.engine.ids import OrgId
from flowstrand.engine.names import is_id
from flowstrand.local.changes import LocalChanges
from flowstrand.local.composition import compose
from flowstrand.local.functions import Functions
from flowstrand.local.stores import sqlite_stores
from flowstrand.local.table_stream import TableStream
from flowstrand.log.packing import pack_events
from flowstrand.log.port import Commit, LogKey
from flowstrand.sdk.app import App
from flowstrand.service import container, feed
from flowstrand.service.settings import Settings
from flowstrand.service.signing import FixedSecrets
from tests.unit.every_event import data_of

ACME, OTHER = OrgId("acme"), OrgId("other")
SECRET = "a secret of at least thirty-two bytes"
LONG_MS = 60_000


def commit(org: OrgId, execution: str = "01X") -> Commit:
    return Commit(
        key=LogKey.parse(f"{org}#{execution}"),
        sequence=1,
        count=1,
        events=pack_events([data_of(EventType.WORKFLOW_STARTED)]),
        written_at_ms=1_795_435_200_000,
        commit_id="c1",
    )


class Told:
    """What a table's stream says, and a way to wait for it."""

    def __init__(self, *, fails: bool = False) -> None:
        self.orgs: list[set[OrgId]] = []
        self.once = threading.Event()
        self._fails = fails

    def __call__(self, orgs: Collection[OrgId]) -> None:
        self.orgs.append(set(orgs))
        self.once.set()
        if self._fails:
            raise RuntimeError("nobody listens")


def test_orgs_are_told_of_once_the_projector_has_seen_their_commits() -> None:
    seen: list[Any] = []
    told = Told()

    def projector(event: Any, _context: object) -> Any:
        assert told.orgs == []
        seen.append(event)
        return {"batchItemFailures": []}

    stream = TableStream(Functions({"projector": projector}), told)
    for one in (commit(ACME), commit(OTHER), commit(ACME, "01Y")):
        stream.publish(one)
    stream.start()
    try:
        assert told.once.wait(10)
    finally:
        stream.stop(10)
    assert told.orgs == [{ACME, OTHER}]
    assert [len(event["Records"]) for event in seen] == [3]


def test_a_listener_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    told = Told(fails=True)
    stream = TableStream(Functions({"projector": lambda *_: {"batchItemFailures": []}}), told)
    stream.start()
    try:
        stream.publish(commit(ACME))
        assert told.once.wait(10)
        told.once.clear()
        stream.publish(commit(OTHER))
        assert told.once.wait(10)
    finally:
        stream.stop(10)
    assert told.orgs == [{ACME}, {OTHER}]


async def test_who_waits_for_a_feed_is_woken_by_the_commit_of_any_log_of_the_org(tmp_path: Path) -> None:
    """The real projector on a real store: an append, and nothing else, wakes the reader long before its time."""
    stores = sqlite_stores(tmp_path)
    composed = compose(
        stores,
        Functions.load(),
        App(),
        lease_secrets=FixedSecrets(SECRET),
        ticket_secrets=FixedSecrets(SECRET),
        settings=Settings(),
    )
    uninstall = container.install(composed.services)
    composed.table_stream.start()
    try:
        changes = composed.services.changes
        waiting = asyncio.create_task(changes.changed(feed.key_of(ACME), after=0, timeout_ms=LONG_MS))
        elsewhere = asyncio.create_task(changes.changed(feed.key_of(OTHER), after=0, timeout_ms=LONG_MS))
        await asyncio.to_thread(composed.services.log.append, commit(ACME))
        await asyncio.wait_for(waiting, 30)
        assert feed.end(composed.services, ACME) == 1
        assert not elsewhere.done()
        elsewhere.cancel()
    finally:
        composed.table_stream.stop(10)
        uninstall()
        stores.close()


async def test_a_feed_that_has_grown_since_it_was_read_is_not_waited_for() -> None:
    changes = LocalChanges()
    changes.notify(feed.key_of(ACME), 7)
    await asyncio.wait_for(changes.changed(feed.key_of(ACME), after=6, timeout_ms=LONG_MS), 10)


def test_no_log_is_called_as_a_feed_is() -> None:
    assert LogKey.parse(str(feed.key_of(ACME))) == feed.key_of(ACME)
    assert not is_id(feed.key_of(ACME).execution_id)
