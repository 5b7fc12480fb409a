"""`flowstrand keys` on the data folder of a local server, and on the tables of a stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from flowstrand.directory.dynamodb import DynamoDirectory, create_directory_table
from flowstrand.local.secrets_file import lease_secrets, ticket_secrets
from flowstrand.local.stores import sqlite_stores
from flowstrand.operations.place import local_place
from flowstrand.service import keys


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sqlite_stores(tmp_path).close()
    return tmp_path


def run(*words: object, exit: Exit = Exit.OK) -> str:
    result = CliRunner().invoke(program, ["keys", *map(str, words)])
    assert result.exit_code == exit, result.output
    return result.stdout


def holder(data: Path, key: str) -> keys.Identity | None:
    place = local_place(data)
    try:
        return keys.identify(place.services.directory, key)
    finally:
        place.close()


def test_a_key_is_made_listed_and_revoked(data: Path) -> None:
    words = ("--org", "acme", "--data", data)
    key = run("create", "--principal", "worker", "--note", "warehouse", *words).strip()
    made = holder(data, key)
    assert made is not None
    assert (made.org, list(made.principals)) == ("acme", [keys.Principal.WORKER])
    [listed] = json.loads(run("list", *words, "--json"))["keys"]
    assert (listed["keyId"], listed["principals"], listed["note"]) == (made.key_id, ["worker"], "warehouse")
    assert key not in run("list", *words)
    assert run("revoke", made.key_id, *words) == f"{made.key_id} of acme is revoked\n"
    assert holder(data, key) is None
    run("revoke", made.key_id, *words, exit=Exit.NOT_FOUND)


def test_a_key_is_good_for_everything_unless_told_otherwise(data: Path) -> None:
    made = holder(data, run("create", "--data", data).strip())
    assert made is not None
    assert (made.org, made.principals) == ("dev", frozenset(keys.Principal))


def test_an_org_that_cannot_be_one_gets_no_key(data: Path) -> None:
    run("create", "--org", "not#a#name", "--data", data, exit=Exit.REFUSED)
    assert json.loads(run("list", "--data", data, "--json")) == {"keys": []}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDirectory]:
    """That of a stack, which the environment names."""
    for name in ("LOG_TABLE", "DIRECTORY_TABLE", "PAYLOAD_BUCKET"):
        monkeypatch.setenv(f"FLOWSTRAND_{name}", "directory")
    with mock_aws():
        client = boto3.client("dynamodb")
        create_directory_table(client, "directory")
        yield DynamoDirectory(client, "directory")


def test_a_stack_gets_a_key_in_the_same_way(table: DynamoDirectory) -> None:
    made = keys.identify(table, run("create", "--org", "acme").strip())
    assert made is not None
    assert (made.org, made.principals) == ("acme", frozenset(keys.Principal))


def test_where_there_is_no_such_table_a_line_says_so(
    table: DynamoDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWSTRAND_DIRECTORY_TABLE", "another")
    result = CliRunner().invoke(program, ["keys", "create"])
    assert result.exit_code == Exit.FAILED, result.output
    assert (result.stdout, len(result.stderr.splitlines())) == ("", 1)
    assert list(table.scan("api-keys")) == []


@pytest.mark.parametrize(
    ("command", "secrets"), [("rotate-leases", lease_secrets), ("rotate-tickets", ticket_secrets)]
)
def test_a_secret_is_rotated_and_the_one_before_is_kept(
    data: Path, command: str, secrets: Callable[[Path], list[str]]
) -> None:
    [before] = secrets(data)
    assert "restart the server" in run(command, "--data", data)
    assert secrets(data)[1] == before
