"""What commands are given: JSON from several places, servers from options and the environment."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from flowstrand.cli.program import program
from tests.unit.cli.cases import LISTED
from tests.unit.fake_api import EXECUTION, FakeApi

RUNNER = CliRunner()
ORDER = {"item": "hat", "amount": 3}


def sent(api: FakeApi) -> dict[str, object]:
    body: dict[str, object] = json.loads(api.requests[0].content)
    return body


def test_an_input_may_be_in_a_file(api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "order.json"
    file.write_text(json.dumps(ORDER), encoding="utf-8")
    assert RUNNER.invoke(program, ["start", "order", "--input", f"@{file}"]).exit_code == 0
    assert sent(api)["input"] == ORDER


def test_an_input_may_come_through_a_pipe(api: FakeApi) -> None:
    assert RUNNER.invoke(program, ["start", "order", "--input", "-"], input=json.dumps(ORDER)).exit_code == 0
    assert sent(api)["input"] == ORDER


def test_what_is_not_json_names_its_option(api: FakeApi) -> None:
    result = RUNNER.invoke(program, ["signal", EXECUTION, "go", "--value", "hello"])
    assert result.exit_code == 2
    assert "--value" in result.stderr


def test_everything_that_a_start_takes_is_sent(api: FakeApi) -> None:
    options = ["--version", "2", "--execution-timeout", "2h", "--idempotency-key", "k", "--idempotency-ttl", "7d"]
    assert RUNNER.invoke(program, ["start", "order", *options, "--metadata", "a=b=c"]).exit_code == 0
    assert sent(api) == {
        "kind": "order",
        "input": None,
        "queue": "default",
        "version": "2",
        "metadata": {"a": "b=c"},
        "timeoutSeconds": 7_200,
        "idempotencyKey": "k",
        "idempotencyKeyTTL": "604800s",
    }


def test_the_environment_names_the_server_the_key_and_the_org(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWSTRAND_URL", "https://api.test/prod/")
    monkeypatch.setenv("FLOWSTRAND_ORG", "acme")
    RUNNER.invoke(program, ["get", EXECUTION])
    assert str(api.requests[0].url) == f"https://api.test/prod/api/orgs/acme/workflow-executions/{EXECUTION}"
    assert api.requests[0].headers["authorization"] == "Bearer key"


def test_options_win_over_the_environment(api: FakeApi) -> None:
    RUNNER.invoke(program, ["get", EXECUTION, "--url", "http://other", "--api-key", "mine", "--org", "us"])
    assert str(api.requests[0].url).startswith("http://other/api/orgs/us/")
    assert api.requests[0].headers["authorization"] == "Bearer mine"


def test_a_schedule_takes_all_its_options(api: FakeApi) -> None:
    timing = [
        "--at",
        "2027-01-01T00:00:00Z",
        "--missed",
        "RUN_ALL",
        "--grace",
        "10m",
        "--catch-up",
        "3",
        "--time-zone",
        "Europe/Berlin",
    ]
    RUNNER.invoke(program, ["schedule", "create", "s", "report", *timing, "--execution-timeout", "60"])
    assert sent(api) == {
        "scheduleId": "s",
        "kind": "report",
        "input": None,
        "queue": "default",
        "at": "2027-01-01T00:00:00Z",
        "timeZone": "Europe/Berlin",
        "overlapPolicy": "SKIP",
        "missedRunPolicy": "RUN_ALL",
        "graceSeconds": 600.0,
        "catchUpLimit": 3,
        "timeoutSeconds": 60,
    }


def test_the_version_is_told() -> None:
    result = RUNNER.invoke(program, ["--version"])
    assert (result.exit_code, result.stdout) == (0, "flowstrand 0.1.0\n")


def test_a_list_asks_for_no_more_than_it_shows_and_goes_on_where_all_is_wanted(api: FakeApi) -> None:
    pages = [{"executions": [LISTED], "nextCursor": "c"}, {"executions": [LISTED]}]
    api.faults = [httpx2.Response(200, json=page) for page in [pages[0], *pages]]
    wanted = ["--created-after", "2026-11-01T00:00:00Z", "--created-before", "2026-12-01T00:00:00Z"]
    assert len(RUNNER.invoke(program, ["list", "--limit", "1", *wanted]).stdout.splitlines()) == 2
    assert len(RUNNER.invoke(program, ["list", "--all"]).stdout.splitlines()) == 3
    assert [dict(request.url.params) for request in api.requests] == [
        {"limit": "1", "createdAfter": "2026-11-01T00:00:00Z", "createdBefore": "2026-12-01T00:00:00Z"},
        {"limit": "100"},
        {"limit": "100", "cursor": "c"},
    ]
