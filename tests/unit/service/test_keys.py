"""API keys: stored as digests, known only to who holds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.engine.ids import OrgId
from flowstrand.errors import InvalidInput
from flowstrand.jsonvalue import JsonObject
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.service import keys
from flowstrand.service.keys import Identity, Principal

NOW_MS = 1_795_435_200_000


@pytest.fixture
def directory(tmp_path: Path) -> SqliteDirectory:
    return SqliteDirectory(SqliteDatabase(tmp_path / "flowstrand.db"))


def test_a_key_identifies_its_org_and_principals(directory: SqliteDirectory) -> None:
    key = keys.create(directory, "acme", ["worker"], now_ms=NOW_MS)

    found = keys.identify(directory, key)

    assert found is not None
    assert found.org == "acme"
    assert found.principals == {Principal.WORKER}


def test_a_generated_key_carries_a_prefix_and_all_its_randomness() -> None:
    first, second = keys.generate(bytes(32)), keys.generate(bytes(31) + b"\x01")

    assert first.startswith("fsk_")
    assert len(first) == len("fsk_") + 43
    assert first != second


def test_a_key_takes_thirty_two_bytes() -> None:
    with pytest.raises(ValueError, match="32"):
        keys.generate(bytes(31))


def test_a_chosen_key_is_taken_as_it_is(directory: SqliteDirectory) -> None:
    assert keys.create(directory, "dev", ["user"], key="k", now_ms=NOW_MS) == "k"
    assert keys.identify(directory, "k") is not None


@pytest.mark.parametrize("bearer", ["", "K", "k ", " k", "kk", "\ud800", "x" * 100_000])
def test_an_unknown_key_is_nobody(directory: SqliteDirectory, bearer: str) -> None:
    keys.create(directory, "dev", ["user"], key="k", now_ms=NOW_MS)

    assert keys.identify(directory, bearer) is None


def test_the_directory_never_holds_a_key(directory: SqliteDirectory) -> None:
    keys.create(directory, "dev", ["user"], key="a-very-secret-key", now_ms=NOW_MS)

    (item,) = directory.scan("api-keys")

    assert "a-very-secret-key" not in f"{item.key} {item.data}"


def test_a_key_stored_again_stands_for_what_was_said_last(directory: SqliteDirectory) -> None:
    keys.create(directory, "dev", ["user"], key="k", now_ms=NOW_MS)
    keys.create(directory, "dev", ["user", "worker"], key="k", now_ms=NOW_MS)

    found = keys.identify(directory, "k")

    assert found is not None
    assert found.principals == {Principal.USER, Principal.WORKER}


@pytest.mark.parametrize("org", ["", "a#b", "a/b", "a b", "-a", "a" * 129, "a\n"])
def test_an_org_that_is_not_a_name_gets_no_key(directory: SqliteDirectory, org: str) -> None:
    with pytest.raises(InvalidInput):
        keys.create(directory, org, ["user"], now_ms=NOW_MS)


@pytest.mark.parametrize("principals", [[], ["admin"], ["user", "admin"]])
def test_an_unknown_principal_gets_no_key(directory: SqliteDirectory, principals: list[str]) -> None:
    with pytest.raises(InvalidInput):
        keys.create(directory, "acme", principals, now_ms=NOW_MS)


@pytest.mark.parametrize(
    "data", [{}, {"org": "acme"}, {"org": 5, "principals": ["user"]}, {"org": "a", "principals": []}]
)
def test_a_damaged_row_is_nobody(directory: SqliteDirectory, data: JsonObject) -> None:
    keys.create(directory, "acme", ["user"], key="k", now_ms=NOW_MS)
    (item,) = directory.scan("api-keys")
    directory.put("api-keys", item.key, data)

    assert keys.identify(directory, "k") is None


def test_an_identity_needs_a_name_and_a_known_principal() -> None:
    assert keys.identity("acme", ["user", "future"], key_id="k") == Identity(
        org=OrgId("acme"), principals=frozenset({Principal.USER}), key_id="k"
    )
    assert keys.identity("acme", ["future"], key_id="k") is None
    assert keys.identity("a#b", ["user"], key_id="k") is None


def test_keys_are_listed_without_what_would_open_anything(directory: SqliteDirectory) -> None:
    key = keys.create(directory, "acme", ["worker"], now_ms=NOW_MS, note="warehouse")
    keys.create(directory, "other", ["user"], now_ms=NOW_MS)
    [known] = keys.every(directory, OrgId("acme"))
    found = keys.identify(directory, key)
    assert found is not None
    assert (known.key_id, known.org, known.principals) == (found.key_id, "acme", ("worker",))
    assert (known.created_at_ms, known.note) == (NOW_MS, "warehouse")
    assert key not in repr(known)
    assert len(list(keys.every(directory))) == 2


def test_every_key_is_listed_however_many_there_are(directory: SqliteDirectory) -> None:
    for number in range(120):
        keys.create(directory, "acme", ["user"], key=f"k{number}", now_ms=NOW_MS)
    assert len({known.key_id for known in keys.every(directory)}) == 120


def test_a_revoked_key_is_nobodys_and_the_others_are_what_they_were(directory: SqliteDirectory) -> None:
    old = keys.create(directory, "acme", ["user"], now_ms=NOW_MS)
    new = keys.create(directory, "acme", ["user"], now_ms=NOW_MS)
    found = keys.identify(directory, old)
    assert found is not None
    keys.revoke(directory, OrgId("acme"), found.key_id)
    assert keys.identify(directory, old) is None
    assert keys.identify(directory, new) is not None


def test_another_orgs_key_cannot_be_revoked(directory: SqliteDirectory) -> None:
    key = keys.create(directory, "other", ["user"], now_ms=NOW_MS)
    found = keys.identify(directory, key)
    assert found is not None
    assert keys.revoke(directory, OrgId("acme"), found.key_id) is None
    assert keys.identify(directory, key) is not None


def test_a_keys_id_tells_whether_it_is_still_there(directory: SqliteDirectory) -> None:
    key = keys.create(directory, "acme", ["user"], now_ms=0)
    other = keys.create(directory, "acme", ["user"], now_ms=0)
    known, left = keys.identify(directory, key), keys.identify(directory, other)
    assert known is not None
    assert left is not None
    assert not keys.is_revoked(directory, "acme", known.key_id)
    assert keys.is_revoked(directory, "other", known.key_id)
    keys.revoke(directory, known.org, known.key_id)
    assert keys.is_revoked(directory, "acme", known.key_id)
    assert not keys.is_revoked(directory, "acme", left.key_id)


@pytest.mark.parametrize(
    "id", ["jwt_0123456789ab", "iam_0123456789ab", "key_1", "key_", "", "key_0123456789AB", "key_0123456789ab0"]
)
def test_what_is_no_keys_id_is_no_revoked_key(directory: SqliteDirectory, id: str) -> None:
    assert not keys.is_revoked(directory, "acme", id)
