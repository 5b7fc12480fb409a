"""The local server's notifications: nobody who waits for a log misses its growth, and writers wait for nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowstrand.aws.table_stream import commit_of
from flowstrand.engine.ids import ExecutionId, OrgId
from flowstrand.errors import StoreUnavailable
from flowstrand.local.changes import LocalChanges
from flowstrand.local.functions import Functions
from flowstrand.local.notifying_log import NotifyingLog
from flowstrand.local.table_stream import TableStream, stream_record
from flowstrand.local.waiter import Waiter
from flowstrand.log.port import AppendConflict, Commit, EventLog, LogKey
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase

KEY = LogKey(OrgId("acme"), ExecutionId("01JDX"))
OTHER = LogKey(OrgId("acme"), ExecutionId("01JDY"))
AGES_MS = 60_000.0


def commit(sequence: int = 1, *, count: int = 1, commit_id: str = "a", checkpoint: bytes | None = None) -> Commit:
    return Commit(
        key=KEY,
        sequence=sequence,
        count=count,
        events=b"\x00events",
        written_at_ms=1_000,
        commit_id=commit_id,
        checkpoint=checkpoint,
        checkpoint_at=None if checkpoint is None else sequence,
    )


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventLog]:
    database = SqliteDatabase(tmp_path / "flowstrand.db")
    yield SqliteLog(database)
    database.close()


class UnavailableLog:
    """A log that fails; the commit may or may not have been written."""

    def append(self, commit: Commit) -> None:
        raise StoreUnavailable("lost the reply")

    def tail(self, key: LogKey) -> Commit | None:
        return None

    def commit_at(self, key: LogKey, sequence: int) -> Commit | None:
        return None

    def read(
        self, key: LogKey, *, after: int, limit: int | None = None, consistent: bool = True
    ) -> Sequence[Commit]:
        return ()

    def news(self, key: LogKey, *, after: int, limit: int, consistent: bool = False) -> Sequence[Commit]:
        return ()


def test_an_append_is_announced_once_it_can_be_read(log: EventLog) -> None:
    seen: list[Commit | None] = []
    notifying = NotifyingLog(log, [lambda announced: seen.append(log.tail(announced.key))])
    notifying.append(commit())
    assert seen == [commit()]


def test_a_conflict_is_not_announced(log: EventLog) -> None:
    seen: list[Commit] = []
    notifying = NotifyingLog(log, [seen.append])
    notifying.append(commit())
    with pytest.raises(AppendConflict):
        notifying.append(commit(commit_id="b"))
    assert seen == [commit()]


def test_a_failed_append_is_not_announced() -> None:
    seen: list[Commit] = []
    with pytest.raises(StoreUnavailable):
        NotifyingLog(UnavailableLog(), [seen.append]).append(commit())
    assert seen == []


def test_reads_go_through_unchanged(log: EventLog) -> None:
    notifying = NotifyingLog(log, [])
    notifying.append(commit(count=2))
    notifying.append(commit(3))
    assert notifying.tail(KEY) == commit(3)
    assert notifying.commit_at(KEY, 2) == commit(count=2)
    assert list(notifying.read(KEY, after=2)) == [commit(3)]
    assert list(notifying.news(KEY, after=2, limit=1)) == [commit(3)]


async def test_a_waiting_reader_is_told_from_another_thread() -> None:
    changes = LocalChanges()
    waiting = asyncio.create_task(changes.changed(KEY, after=3, timeout_ms=AGES_MS))
    await asyncio.sleep(0)
    await asyncio.to_thread(changes.notify, KEY, 4)
    await asyncio.wait_for(waiting, 5)
    assert not changes._waiters


async def test_growth_between_a_read_and_the_wait_is_not_missed() -> None:
    changes = LocalChanges()
    changes.notify(KEY, 4)
    await asyncio.wait_for(changes.changed(KEY, after=3, timeout_ms=AGES_MS), 5)


async def test_an_older_announcement_does_not_take_back_a_newer_one() -> None:
    changes = LocalChanges()
    changes.notify(KEY, 5)
    changes.notify(KEY, 4)
    await asyncio.wait_for(changes.changed(KEY, after=4, timeout_ms=AGES_MS), 5)


async def test_another_log_wakes_nobody() -> None:
    changes = LocalChanges()
    waiting = asyncio.create_task(changes.changed(KEY, after=0, timeout_ms=AGES_MS))
    await asyncio.sleep(0)
    changes.notify(OTHER, 1)
    await asyncio.sleep(0)
    assert not waiting.done()
    changes.notify(KEY, 1)
    await asyncio.wait_for(waiting, 5)


async def test_a_wait_ends_with_its_time_and_leaves_nothing_behind() -> None:
    changes = LocalChanges()
    await changes.changed(KEY, after=0, timeout_ms=1)
    assert not changes._waiters


async def test_a_reader_that_goes_away_leaves_nothing_behind() -> None:
    changes = LocalChanges()
    waiting = asyncio.create_task(changes.changed(KEY, after=0, timeout_ms=AGES_MS))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not changes._waiters


def test_a_waiter_whose_loop_has_closed_is_passed_over() -> None:
    changes = LocalChanges()

    async def waiter() -> Waiter:
        return Waiter()

    changes._waiters[KEY] = {asyncio.run(waiter())}
    changes.notify(KEY, 1)
    assert not changes._waiters


@pytest.mark.parametrize("checkpoint", [None, b"\xffstate"])
def test_a_commit_survives_the_way_through_a_stream_record(checkpoint: bytes | None) -> None:
    record: Any = stream_record(commit(3, count=2, checkpoint=checkpoint))
    assert commit_of(record["dynamodb"]["NewImage"]) == commit(3, count=2, checkpoint=checkpoint)


class Projector:
    """Fails as often as it is told to, then takes what it gets."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.taken: list[Commit] = []
        self.has_taken = threading.Event()

    def __call__(self, event: Any, context: object) -> dict[str, Any]:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("not now")
        self.taken += [commit_of(record["dynamodb"]["NewImage"]) for record in event["Records"]]
        self.has_taken.set()
        return {"batchItemFailures": []}


def test_the_projector_gets_every_commit_even_if_it_fails_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowstrand.local.table_stream._RETRY_S", 0.0)
    projector = Projector(failures=2)
    stream = TableStream(Functions({"projector": projector}))
    stream.publish(commit())
    stream.start()
    assert projector.has_taken.wait(5)
    stream.stop(5)
    assert projector.taken == [commit()]


class PickyProjector:
    """Refuses each commit of `OTHER` once, and remembers which commits came together."""

    def __init__(self, wanted: int) -> None:
        self.batches: list[list[Commit]] = []
        self.has_taken = threading.Event()
        self._wanted = wanted

    def __call__(self, event: Any, context: object) -> dict[str, Any]:
        numbers = {record["dynamodb"]["SequenceNumber"]: record for record in event["Records"]}
        commits = {number: commit_of(record["dynamodb"]["NewImage"]) for number, record in numbers.items()}
        assert len(commits) == len(event["Records"])
        known = [commit for batch in self.batches for commit in batch]
        refused = [number for number, one in commits.items() if one.key == OTHER and one not in known]
        self.batches.append(list(commits.values()))
        if len(known) + len(commits) >= self._wanted:
            self.has_taken.set()
        return {"batchItemFailures": [{"itemIdentifier": number} for number in refused]}


def test_what_is_there_is_delivered_together_and_only_what_was_refused_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flowstrand.local.table_stream._RETRY_S", 0.0)
    projector = PickyProjector(wanted=5)
    stream = TableStream(Functions({"projector": projector}))
    mine, others = [commit(n) for n in (1, 2, 3)], replace(commit(1), key=OTHER)
    for one in [*mine[:2], others, mine[2]]:
        stream.publish(one)
    stream.start()
    assert projector.has_taken.wait(5)
    stream.stop(5)
    assert projector.batches == [[mine[0], mine[1], others, mine[2]], [others]]
