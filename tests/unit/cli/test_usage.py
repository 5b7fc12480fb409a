"""`flowstrand usage` on a stack whose API Gateway is moto's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from flowstrand.directory.sqlite import SqliteDirectory
from flowstrand.local.stores import sqlite_stores
from flowstrand.log.sqlite_database import SqliteDatabase
from flowstrand.operations.place import Place, stack_place
from flowstrand.operations.stack import StackNames, boto_clients
from flowstrand.operations.usage import REMEMBERED_MS
from tests.unit.manual_clock import ManualClock
from tests.unit.operations.metered import Gateway, metered, plan


@pytest.fixture(scope="module")
def account() -> Iterator[Place]:
    with mock_aws():
        names = StackNames(log_table="l", directory_table="d", payload_bucket="p", functions={})
        yield stack_place(names, boto_clients(), title="the stack")


@pytest.fixture
def gateway(account: Place, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """That of the one stack there is, whose clock moves by pausing."""
    place, gateway = metered(account)
    clock, directory = ManualClock(), SqliteDirectory(SqliteDatabase.in_memory())
    place = replace(place, services=replace(place.services, directory=directory, clock=clock))
    monkeypatch.setattr("flowstrand.operations.place.open_place", lambda **_: place)
    monkeypatch.setattr("time.sleep", lambda seconds: clock.sleep_ms(seconds * 1_000))
    return gateway


def run(*words: str, exit: Exit = Exit.OK) -> Result:
    result = CliRunner().invoke(program, ["usage", *words, "--stack", "flowstrand"])
    assert result.exit_code == exit, result.output
    return result


def test_an_org_is_enrolled_moved_listed_and_leaves(gateway: Gateway) -> None:
    gold = plan(gateway, "gold")
    assert run("enroll", "acme").stdout.startswith("acme is counted by itself in the usage plan ")
    enrolled = json.loads(run("enroll", "acme", "--plan", gold, "--json").stdout)
    assert (enrolled["planId"], enrolled["leaving"]) == (gold, False)
    assert json.loads(run("list", "--json").stdout) == {"orgs": [enrolled]}
    assert enrolled["keyId"] in run("list").stdout
    left = run("leave", "acme")
    assert left.stdout == "acme is counted together with all others\n"
    assert f"waiting for {REMEMBERED_MS // 1_000} s" in left.stderr
    assert json.loads(run("list", "--json").stdout) == {"orgs": []}
    run("leave", "acme", exit=Exit.NOT_FOUND)


def test_what_an_org_has_used_is_shown_by_day(gateway: Gateway) -> None:
    enrolled = json.loads(run("enroll", "acme", "--json").stdout)
    gateway.used[enrolled["planId"], enrolled["keyId"]] = [[3, 997], [4, 993]]
    shown = json.loads(run("show", "acme", "--since", "2026-11-01", "--until", "2026-11-02", "--json").stdout)
    assert shown == {
        "days": [
            {"day": "2026-11-01", "requests": 3, "remaining": 997},
            {"day": "2026-11-02", "requests": 4, "remaining": 993},
        ]
    }
    assert run("show", "acme").stdout.splitlines()[0].split() == ["DAY", "REQUESTS", "REMAINING"]
    assert [gateway.asked[-1][end] for end in ("startDate", "endDate")] == ["2026-10-24", "2026-11-23"]
    run("show", "other", exit=Exit.NOT_FOUND)


def test_without_an_org_it_is_what_all_without_a_key_have_used(gateway: Gateway) -> None:
    assert json.loads(run("show", "--json").stdout) == {"days": []}
    run("show", "--plan", "p", exit=Exit.USAGE)


@pytest.mark.parametrize("day", ["yesterday", "2026-11", "2026-13-01"])
def test_a_day_is_a_date(gateway: Gateway, day: str) -> None:
    run("show", "--since", day, exit=Exit.USAGE)


def test_another_apis_plan_is_refused(gateway: Gateway) -> None:
    run("enroll", "acme", "--plan", plan(gateway, "wrong", api="zzzzzzzzzz"), exit=Exit.FAILED)


def test_a_local_server_has_no_usage_plans(tmp_path: Path) -> None:
    sqlite_stores(tmp_path).close()
    result = CliRunner().invoke(program, ["usage", "list", "--data", str(tmp_path)])
    assert result.exit_code != 0
    assert "a local server has no usage plans" in result.stderr
