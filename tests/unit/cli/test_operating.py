"""`flowstrand doctor` and `redrive` on the data folder of a local server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from flowstrand.errors import StoreUnavailable
from flowstrand.local.stores import sqlite_stores
from flowstrand.operations.place import local_place
from flowstrand.service import open_executions
from tests.unit.every_event import KEY

HOURS_MS = 3_600_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sqlite_stores(tmp_path).close()
    return tmp_path


def run(*words: object, exit: Exit = Exit.OK) -> Result:
    result = CliRunner().invoke(program, [str(word) for word in words])
    assert result.exit_code == exit, result.output
    return result


def test_nothing_is_wrong_with_an_empty_folder(data: Path) -> None:
    result = run("doctor", "--data", data)
    assert (result.stdout, result.stderr) == ("", f"the data folder {data}: 4 looks, 0 findings\n")


def test_a_finding_has_a_code_and_a_remedy(data: Path) -> None:
    (data / "lease-secret").write_text("secret")
    (data / "lease-secret").chmod(0o644)
    [finding] = json.loads(run("doctor", "--data", data, "--json", exit=Exit.FAILED).stdout)["findings"]
    assert (finding["severity"], finding["code"]) == ("ERROR", "SECRET_READABLE")
    assert "chmod 600" in finding["remedy"]
    shown = run("doctor", "--data", data, exit=Exit.FAILED).stdout
    assert shown.splitlines()[0].split("  ")[0] == "SEVERITY"
    assert "SECRET_READABLE" in shown


def test_what_is_only_to_be_known_is_no_failure(data: Path) -> None:
    place = local_place(data)
    open_executions.add(place.services.directory, KEY, place.services.clock.now_ms() - 2 * HOURS_MS)
    place.close()
    [finding] = json.loads(run("doctor", "--data", data, "--json").stdout)["findings"]
    assert (finding["severity"], finding["code"]) == ("INFO", "ROW_ABANDONED")


def test_a_damaged_database_is_said_to_be_damaged(data: Path) -> None:
    file = data / "flowstrand.db"
    body = bytearray(file.read_bytes())
    for page in range(4_096, len(body), 4_096):
        body[page] = 0xFF
    file.write_bytes(body)
    result = CliRunner().invoke(program, ["doctor", "--data", str(data), "--json"])
    assert result.exit_code != Exit.OK
    assert "damaged" in result.output


def test_a_local_server_has_no_dead_letters(data: Path) -> None:
    assert "no dead letters" in run("redrive", "--data", data, exit=Exit.USAGE).stderr
    assert "when it starts" in run("redrive", "--wake", "--data", data, exit=Exit.USAGE).stderr


def test_what_could_not_be_looked_at_is_told_apart_from_what_is_wrong(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: object, partition: str, *, after: str = "", limit: int = 100) -> None:
        raise StoreUnavailable("the database is away")

    monkeypatch.setattr("flowstrand.directory.sqlite.SqliteDirectory.scan", refused)
    found = json.loads(run("doctor", "--data", data, "--json", exit=Exit.USAGE).stdout)["findings"]
    assert {(each["severity"], each["code"]) for each in found} == {("UNCHECKED", "NOT_CHECKED")}
