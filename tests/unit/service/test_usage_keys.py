"""Which usage key an org is counted with: its own, or the one that orgs without one share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowstrand.directory.port import Directory
from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.errors import StoreUnavailable
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.service.callers import usage_keys
from flowstrand.service.callers.usage_keys import KEPT_MS, UsageKey, UsageKeys
from tests.unit.manual_clock import ManualClock

SHARED = "s" * 32
ACME = UsageKey(org="acme", value="a" * 64, key_id="k1", plan_id="p1", created_at_ms=1)


@pytest.fixture
def directory() -> Directory:
    return SqliteDirectory(SqliteDatabase.in_memory())


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def known(directory: Directory, clock: ManualClock) -> UsageKeys:
    return UsageKeys(lambda: directory, SHARED, clock)


def test_an_org_that_nobody_has_enrolled_is_counted_with_the_shared_key(known: UsageKeys) -> None:
    assert known.of("acme") == SHARED


def test_what_is_recorded_is_heeded_within_half_a_minute(
    known: UsageKeys, directory: Directory, clock: ManualClock
) -> None:
    assert known.of("acme") == SHARED
    usage_keys.record(directory, ACME)
    assert known.of("acme") == SHARED
    clock.advance(KEPT_MS)
    assert known.of("acme") == ACME.value
    assert known.of("other") == SHARED


def test_an_org_that_leaves_is_counted_with_the_shared_key(known: UsageKeys, directory: Directory) -> None:
    usage_keys.record(directory, replace(ACME, left_at_ms=5))
    assert known.of("acme") == SHARED
    assert usage_keys.read(directory, "acme") == replace(ACME, left_at_ms=5)


@pytest.mark.parametrize("value", [None, "", "short", "x" * 129, 7])
def test_what_api_gateway_could_not_have_is_no_key(
    known: UsageKeys, directory: Directory, value: str | int | None
) -> None:
    directory.put(usage_keys.PARTITION, "acme", {"value": value})
    assert known.of("acme") == SHARED
    assert list(usage_keys.every(directory)) == []


def test_a_directory_that_cannot_say_is_not_taken_for_one_that_has_no_key(clock: ManualClock) -> None:
    def unavailable() -> Directory:
        raise StoreUnavailable("throttled")

    with pytest.raises(StoreUnavailable):
        UsageKeys(unavailable, SHARED, clock).of("acme")


def test_all_that_are_recorded_are_listed_by_org_over_pages(directory: Directory) -> None:
    orgs = [f"org{number:03}" for number in range(105)]
    for org in orgs:
        usage_keys.record(directory, replace(ACME, org=org))
    usage_keys.forget(directory, "org007")
    assert [key.org for key in usage_keys.every(directory)] == [org for org in orgs if org != "org007"]
