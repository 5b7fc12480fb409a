"""`flowstrand iam` on the data folder of a local server, and a proof of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from flowstrand.iam_proof import parse_proof
from flowstrand.local.stores import sqlite_stores

ROLE = "arn:aws:iam::123456789012:role/warehouse"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sqlite_stores(tmp_path).close()
    return tmp_path


def run(*words: object, exit: Exit = Exit.OK) -> str:
    result = CliRunner().invoke(program, ["iam", *map(str, words)])
    assert result.exit_code == exit, result.output
    return result.stdout


def test_an_identity_is_admitted_listed_and_dismissed(data: Path) -> None:
    words = ("--org", "acme", "--data", data)
    written_with_its_path = ROLE.replace("role/", "role/team/")
    assert (
        run("admit", written_with_its_path, "--principal", "worker", "--note", "eu", *words)
        == f"{ROLE} speaks for acme\n"
    )
    [listed] = json.loads(run("list", *words, "--json"))["identities"]
    assert (listed["identity"], listed["principals"], listed["note"]) == (ROLE, ["worker"], "eu")
    assert ROLE in run("list", "--data", data)
    run("dismiss", ROLE, "--org", "other", "--data", data, exit=Exit.NOT_FOUND)
    assert run("dismiss", ROLE, *words) == f"{ROLE} speaks for acme no more\n"
    assert json.loads(run("list", "--data", data, "--json")) == {"identities": []}


@pytest.mark.parametrize("identity", ["warehouse", "*", "arn:aws:iam::123456789012:root"])
def test_what_is_no_identity_is_not_admitted(data: Path, identity: str) -> None:
    run("admit", identity, "--org", "acme", "--data", data, exit=Exit.REFUSED)


def test_a_proof_is_for_the_api_that_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE000000002")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret of mine")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    url = "https://a1b2c3d4e5.execute-api.eu-north-1.amazonaws.com/live"
    found = parse_proof(run("token", "--url", f"{url}/").strip())
    assert (found.audience, found.region) == (url, "eu-north-1")
    assert (
        parse_proof(run("token", "--url", "https://flow.example.com", "--region", "cn-north-1").strip()).region
        == "cn-north-1"
    )
