"""Pruning: what nothing refers to goes after a week, and whoever refers to it in time keeps it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from typing import Any, NoReturn

import pytest

from flowstrand.directory.port import Directory
from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.engine.ids import OrgId
from flowstrand.engine.payload_reference import to_reference
from flowstrand.engine.replay.driver import Driver
from flowstrand.engine.schedule.timing import Timing
from flowstrand.engine.schema import PayloadRef
from flowstrand.errors import LogCorrupted, NotFound
from flowstrand.histories.reading import read_file
from flowstrand.jsonvalue import JsonValue
from flowstrand.local.payload_transfers import SignedTransfers
from flowstrand.log.inventory import LogInventory
from flowstrand.log.sqlite import SqliteLog
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.log.sqlite_inventory import SqliteInventory
from flowstrand.log.sqlite_retention import SqliteRetention
from flowstrand.operations import pruning
from flowstrand.operations.importing import import_one
from flowstrand.operations.pruning import Pruned
from flowstrand.payloads.inventory import StoredPayload
from flowstrand.payloads.sqlite import SqlitePayloads
from flowstrand.payloads.sqlite_inventory import SqlitePayloadInventory
from flowstrand.service import payload_marks, payloads, schedules, uploads
from flowstrand.service.channels.opening import Wanted, open_channel
from flowstrand.service.executions import StartRequest
from flowstrand.service.payload_marks import GRACE_MS, Mark
from flowstrand.service.schedules import ScheduleRequest
from tests.unit.histories.record import VERSIONS
from tests.unit.service.service_world import Killed, ServiceWorld, kill

[HISTORY] = read_file(VERSIONS / "export-1.jsonl")
[USED] = HISTORY.payloads
ORG = HISTORY.key.org
VALUE = "x" * 20_000
BODY = json.dumps(VALUE).encode()
UNUSED = sha256(BODY).hexdigest()
DAY = 86_400_000


class Store(ServiceWorld):
    """Services whose stores are one SQLite file in memory, with one execution that has ended and one value that nobody uses."""

    def __init__(self) -> None:
        super().__init__()
        self.database = SqliteDatabase.in_memory()
        self.services = replace(
            self.services,
            log=SqliteLog(self.database),
            directory=SqliteDirectory(self.database),
            payloads=SqlitePayloads(self.database),
            transfers=SignedTransfers("a secret of at least thirty-two bytes", self.clock),
        )
        self.payloads = SqlitePayloadInventory(self.database)
        self.logs: LogInventory = SqliteInventory(self.database)
        import_one(self.services, HISTORY)
        self.store_unused()

    def store_unused(self) -> None:
        self.services.payloads.put(ORG, UNUSED, BODY)

    def prune(self, *, dry_run: bool = False) -> Pruned:
        return pruning.prune(self.services, self.payloads, self.logs, dry_run=dry_run)

    def names(self) -> set[str]:
        return {payload.sha256 for payload in self.payloads.stored()}

    def wait(self, ms: int = GRACE_MS) -> None:
        self.clock.advance(ms)


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.database.close()


def test_what_nothing_refers_to_is_marked_and_goes_a_week_later(store: Store) -> None:
    first = store.prune()
    assert (first.stored, first.unreferenced, first.unreferenced_bytes) == (2, 1, len(BODY))
    assert (first.marked, first.deleted) == (1, 0)
    store.wait(GRACE_MS - 1)
    assert (store.prune().marked, store.names()) == (0, {USED, UNUSED})
    store.wait(1)
    last = store.prune()
    assert (last.deleted, last.deleted_bytes, store.names()) == (1, len(BODY), {USED})
    assert list(payload_marks.every(store.services.directory)) == []
    assert store.prune() == replace(
        first, stored=1, stored_bytes=18_002, unreferenced=0, unreferenced_bytes=0, marked=0
    )


def test_a_value_goes_when_the_last_log_that_refers_to_it_has_gone(store: Store) -> None:
    retention = SqliteRetention(store.database)
    now_ms = store.clock.now_ms()
    retention.expire(HISTORY.key, now_ms=now_ms, limit=100)
    store.prune()
    store.wait()
    store.prune()
    assert store.names() == {USED}, "the end of an expired log refers to its output"
    retention.purge(now_ms + 100 * DAY)
    store.prune()
    store.wait()
    store.prune()
    assert store.names() == set()


def test_a_dry_run_changes_nothing(store: Store) -> None:
    assert store.prune(dry_run=True).unreferenced == 1
    assert list(payload_marks.every(store.services.directory)) == []
    store.prune()
    store.wait()
    store.prune(dry_run=True)
    assert UNUSED in store.names()


def test_another_orgs_value_is_another_value(store: Store) -> None:
    other = OrgId("other")
    store.services.payloads.put(other, USED, HISTORY.payloads[USED])
    store.prune()
    store.wait()
    assert store.prune().deleted == 2
    assert [payload.org for payload in store.payloads.stored()] == [ORG]


def test_what_is_stored_again_has_another_week(store: Store) -> None:
    store.prune()
    store.wait()
    store.store_unused()
    assert (store.prune().marked, store.prune().deleted, store.names()) == (1, 0, {USED, UNUSED})


def test_what_is_stored_again_while_it_is_deleted_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.prune()
    store.wait()
    condemn = payload_marks.condemn

    def condemned(directory: Directory, mark: Mark) -> bool:
        store.store_unused()
        return condemn(directory, mark)

    monkeypatch.setattr(payload_marks, "condemn", condemned)
    store.prune()
    assert UNUSED in store.names()


def test_a_reference_to_an_upload_keeps_it_for_another_week(store: Store) -> None:
    store.prune()
    store.wait(GRACE_MS - 1)
    payloads.accept(store.services, ORG, to_reference(PayloadRef(UNUSED, len(BODY))))
    store.wait(GRACE_MS - 1)
    store.prune()
    assert UNUSED in store.names()
    store.wait(1)
    store.prune()
    assert UNUSED not in store.names()


def test_an_upload_that_was_begun_again_is_kept_for_another_week(store: Store) -> None:
    store.prune()
    store.wait(GRACE_MS - 1)
    assert uploads.begin(store.services, ORG, sha256=UNUSED, size=len(BODY)).is_stored
    store.wait(1)
    store.prune()
    assert UNUSED in store.names()


class _Interrupted(SqlitePayloadInventory):
    """Something happens where a value is to be deleted that has been condemned."""

    def __init__(self, store: Store, happens: Callable[[], object]) -> None:
        super().__init__(store.database)
        self._happens = happens

    def remove(self, payload: StoredPayload) -> None:
        self._happens()
        super().remove(payload)


def _accept(store: Store) -> PayloadRef:
    return payloads.accept(store.services, ORG, to_reference(PayloadRef(UNUSED, len(BODY))))


def _condemned(store: Store, happens: Callable[[], object]) -> None:
    """A value's week is over, it is said to be going, and then something happens."""
    store.prune()
    store.wait()
    store.payloads = _Interrupted(store, happens)
    with suppress(Killed):
        store.prune()
    store.payloads = SqlitePayloadInventory(store.database)


def test_what_was_condemned_and_not_deleted_may_be_referred_to(store: Store) -> None:
    _condemned(store, kill)
    _accept(store)
    [mark] = payload_marks.every(store.services.directory)
    assert not mark.is_going
    assert (store.prune().marked, store.prune().deleted) == (1, 0), (
        "in the version that it has now, it has another week"
    )
    store.wait()
    assert (store.prune().deleted, store.names()) == (1, {USED})


def test_an_upload_of_what_was_condemned_and_not_deleted_finds_it_stored(store: Store) -> None:
    _condemned(store, kill)
    assert uploads.begin(store.services, ORG, sha256=UNUSED, size=len(BODY)).is_stored
    assert store.prune().deleted == 0


def test_what_was_condemned_and_not_deleted_goes_with_the_next_run(store: Store) -> None:
    _condemned(store, kill)
    assert (store.prune().deleted, store.names()) == (1, {USED})
    assert list(payload_marks.every(store.services.directory)) == []


def test_a_reference_that_comes_before_the_deletion_of_what_is_condemned_keeps_it(store: Store) -> None:
    _condemned(store, lambda: _accept(store))
    assert UNUSED in store.names(), "only the version that was seen is deleted"


def test_a_deletion_that_comes_however_late_does_not_reach_what_was_stored_again(store: Store) -> None:
    [unused] = [payload for payload in store.payloads.stored() if payload.sha256 == UNUSED]
    _condemned(store, kill)
    _accept(store)
    store.wait()
    store.payloads.remove(unused)
    assert UNUSED in store.names()


def test_a_second_run_that_had_read_the_condemnation_does_not_reach_it_either(store: Store) -> None:
    _condemned(store, kill)
    store.payloads = _Interrupted(store, lambda: _accept(store))
    store.prune()
    assert UNUSED in store.names()
    assert store.prune().deleted == 0


@pytest.mark.parametrize("call", ["get", "put"])
def test_whichever_call_the_deletion_comes_before_a_reference_is_refused_or_good(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    _condemned(store, kill)
    plain: Callable[..., object] = getattr(store.services.payloads, call)
    accepting = payload_marks.hold

    def deleted_first(*arguments: object) -> object:
        monkeypatch.setattr(store.services.payloads, call, plain)
        store.prune()
        return plain(*arguments)

    def held(*arguments: Any) -> bool:
        monkeypatch.setattr(store.services.payloads, call, deleted_first)
        return accepting(*arguments)

    monkeypatch.setattr(payload_marks, "hold", held)
    if call == "get":
        with pytest.raises(NotFound) as refused:
            _accept(store)
        assert refused.value.code == "PAYLOAD_NOT_FOUND"
    else:
        _accept(store)
    assert (UNUSED in store.names()) == (call == "put")


def test_a_value_that_cannot_be_read_and_is_there_is_no_missing_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _condemned(store, kill)
    monkeypatch.setattr(payloads, "_require_json", lambda *_: None)
    store.database.execute("UPDATE payloads SET body = ? WHERE sha256 = ?", (b"damaged", UNUSED))
    with pytest.raises(LogCorrupted):
        _accept(store)


def test_who_holds_it_between_the_reading_of_a_mark_and_its_end_keeps_it(store: Store) -> None:
    store.prune()
    [mark] = payload_marks.every(store.services.directory)
    assert payload_marks.hold(store.services.directory, ORG, UNUSED, store.clock.now_ms())
    assert not payload_marks.condemn(store.services.directory, mark)


def test_what_a_channel_begins_with_is_referred_to(store: Store) -> None:
    open_channel(store.services, ORG, "news", Wanted(content_type="text/plain", body=BODY))
    assert store.prune().unreferenced == 0


def test_what_a_schedule_starts_with_is_referred_to(store: Store) -> None:
    def order(driver: Driver, input: JsonValue) -> NoReturn:
        raise NotImplementedError

    store.code.deployed["order"] = order
    start = StartRequest(kind="order", input=VALUE)
    request = ScheduleRequest(timing=Timing(cron="0 * * * *"), start=start, schedule_id="s")
    schedules.create(store.services, ORG, request)
    assert store.prune().unreferenced == 0


def test_where_a_log_cannot_be_read_nothing_is_deleted(store: Store) -> None:
    store.prune()
    store.wait()
    store.database.execute("UPDATE log_commits SET events = ? WHERE sequence = 1", (b"damaged",))
    with pytest.raises(LogCorrupted):
        store.prune()
    assert UNUSED in store.names()


def test_a_mark_is_taken_away_from_what_is_referred_to_again(store: Store) -> None:
    store.prune()
    open_channel(store.services, ORG, "news", Wanted(content_type="text/plain", body=BODY))
    assert store.prune().unreferenced == 0
    assert list(payload_marks.every(store.services.directory)) == []
