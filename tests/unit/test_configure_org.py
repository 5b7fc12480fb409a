"""`scripts/configure-org`: what an operator sets for one org."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from flowstrand.directory.dynamodb import DynamoDirectory, create_directory_table
from flowstrand.engine.ids import OrgId
from flowstrand.service import org_settings
from flowstrand.service.org_settings import OrgSettings

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "configure-org"
TABLE = "directory"
ACME = OrgId("acme")

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


def test_what_is_given_is_set_and_the_rest_stays(
    directory: DynamoDirectory, main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    acme = ["--table", TABLE, "--org", "acme"]
    assert main([*acme, "--open-executions", "100", "--retention-days", "7"]) == 0
    assert main([*acme, "--starts-per-s", "5", "--retention-days", "default"]) == 0
    assert org_settings.read(directory, ACME) == OrgSettings(open_executions=100, starts_per_s=5)
    capsys.readouterr()
    assert main(acme) == 0
    assert capsys.readouterr().out.splitlines() == [
        "open-executions: 100",
        "starts-per-s: 5",
        "signals-per-s: default",
        "burst-s: default",
        "retention-days: default",
    ]


@pytest.mark.parametrize(
    ("table", "org", "number"), [(TABLE, "not#a#name", "1"), (TABLE, "acme", "-1"), ("no-such-table", "acme", "1")]
)
def test_a_refusal_is_one_line_and_changes_nothing(
    directory: DynamoDirectory, main: Main, capsys: pytest.CaptureFixture[str], table: str, org: str, number: str
) -> None:
    assert main(["--table", table, "--org", org, f"--burst-s={number}"]) == 1
    told = capsys.readouterr()
    assert not told.out
    assert len(told.err.splitlines()) == 1
    assert org_settings.read(directory, ACME) == OrgSettings()
