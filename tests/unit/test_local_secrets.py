"""The local server's secrets: made once, readable by nobody else, and keys that may do no more than they need to."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.errors import ConfigurationError
from flowstrand.local.keys import ensure_dev_key, ensure_worker_key
from flowstrand.local.secrets_file import (
    kept,
    rotate,
    signing_secrets,
)
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.service import keys
from flowstrand.service.keys import Principal
from flowstrand.service.signing import Signed


def test_a_secret_is_made_once_and_private_from_its_first_instant(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    def make() -> str:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return "made"

    assert kept(path, make) == "made"
    assert kept(path, lambda: "another") == "made"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch()
    with pytest.raises(ConfigurationError, match="is empty"):
        kept(path, lambda: "another")


def test_the_lease_secret_survives_a_restart_and_is_long_enough(tmp_path: Path) -> None:
    [secret] = signing_secrets(tmp_path, Signed.LEASE).known
    assert len(secret) >= 32
    assert signing_secrets(tmp_path, Signed.LEASE).known == (secret,)


@pytest.mark.parametrize(("signed", "name"), [(Signed.LEASE, "lease-secret"), (Signed.TICKET, "ticket-secret")])
def test_a_rotated_secret_stands_before_the_one_that_it_replaces(
    tmp_path: Path, signed: Signed, name: str
) -> None:
    [first] = signing_secrets(tmp_path, signed).known
    rotate(tmp_path, signed)
    second, before = signing_secrets(tmp_path, signed).known
    assert (before, len(second) >= 32, second != first) == (first, True, True)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    rotate(tmp_path, signed)
    third, before = signing_secrets(tmp_path, signed).known
    assert (before, third != second) == (second, True)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_keys_are_kept_and_hold_what_they_need(tmp_path: Path) -> None:
    directory = SqliteDirectory(SqliteDatabase(tmp_path / "flowstrand.db"))
    made = ensure_dev_key(directory, tmp_path, None, now_ms=1)
    assert ensure_dev_key(directory, tmp_path, None, now_ms=2) == made
    assert ensure_dev_key(directory, tmp_path, "given", now_ms=3) == "given"
    worker = ensure_worker_key(directory, tmp_path, now_ms=4)
    everything, work = frozenset(Principal), frozenset({Principal.WORKER})
    for key, principals in [(made, everything), ("given", everything), (worker, work)]:
        identity = keys.identify(directory, key)
        assert identity is not None
        assert (identity.org, identity.principals) == ("dev", principals)
