"""`scripts/create-key`: how the first key gets into a deployed stack."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from flowstrand.directory.dynamodb import DynamoDirectory, create_directory_table
from flowstrand.engine.ids import OrgId
from flowstrand.service import keys

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "create-key"
TABLE = "directory"

Main = Callable[[Sequence[str]], int]


@pytest.fixture
def directory() -> Iterator[DynamoDirectory]:
    with mock_aws():
        client = boto3.client("dynamodb")
        create_directory_table(client, TABLE)
        yield DynamoDirectory(client, TABLE)


@pytest.fixture
def main() -> Main:
    main: Main = runpy.run_path(str(SCRIPT))["main"]
    return main


def test_a_key_opens_everything_in_its_org_unless_told_otherwise(
    directory: DynamoDirectory, main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--table", TABLE, "--org", "acme"]) == 0
    identity = keys.identify(directory, capsys.readouterr().out.strip())
    assert identity is not None
    assert (identity.org, identity.principals) == (OrgId("acme"), frozenset(keys.Principal))


def test_a_key_can_be_a_workers_alone(
    directory: DynamoDirectory, main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--table", TABLE, "--org", "acme", "--principal", "worker"]) == 0
    identity = keys.identify(directory, capsys.readouterr().out.strip())
    assert identity is not None
    assert identity.principals == {keys.Principal.WORKER}


@pytest.mark.parametrize(("table", "org"), [(TABLE, "not#a#name"), ("no-such-table", "acme")])
def test_a_refusal_is_one_line_and_no_key(
    directory: DynamoDirectory, main: Main, capsys: pytest.CaptureFixture[str], table: str, org: str
) -> None:
    assert main(["--table", table, "--org", org]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("create-key: ")
    assert len(told.err.splitlines()) == 1
    assert list(directory.scan("api-keys")) == []
