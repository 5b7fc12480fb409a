"""How commands fail: a sentence and a code on stderr, and an exit status that scripts may branch on."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from flowstrand.cli.exits import Exit, exit_of
from flowstrand.cli.failures import told_on_one_line
from flowstrand.cli.program import program
from flowstrand.errors import (
    ChildWorkflowFailed,
    ConfigurationError,
    FlowstrandError,
    LogCorrupted,
    StoreUnavailable,
    WorkflowCancelled,
    WorkflowFailed,
    WorkflowTimeout,
)
from tests.unit.fake_api import EXECUTION, FakeApi

RUNNER = CliRunner()


def refusal(status: int, **more: object) -> httpx2.Response:
    return httpx2.Response(status, json={"error": "no such\nthing", "code": "SOME_CODE", **more})


@pytest.mark.parametrize(
    ("status", "exit"),
    [
        (400, Exit.REFUSED),
        (401, Exit.NOT_ALLOWED),
        (403, Exit.NOT_ALLOWED),
        (404, Exit.NOT_FOUND),
        (409, Exit.REFUSED),
        (410, Exit.NOT_FOUND),
        (413, Exit.REFUSED),
        (418, Exit.REFUSED),
        (422, Exit.REFUSED),
        (429, Exit.UNAVAILABLE),
        (500, Exit.UNAVAILABLE),
        (503, Exit.UNAVAILABLE),
    ],
)
def test_a_refusal_is_one_line_on_stderr_with_its_code_and_a_status(api: FakeApi, status: int, exit: Exit) -> None:
    api.faults = [refusal(status)] * 2
    result = RUNNER.invoke(program, ["get", "nothing"])
    assert (result.exit_code, result.stdout) == (exit, "")
    assert result.stderr == "error: no such thing (SOME_CODE)\n"


def test_with_json_the_error_is_the_apis(api: FakeApi) -> None:
    details = [{"pointer": "/input/amount", "message": "must be positive"}]
    api.faults = [refusal(422, details=details)]
    result = RUNNER.invoke(program, ["start", "order", "--json"])
    assert result.stdout == ""
    assert json.loads(result.stderr) == {"error": "no such thing", "code": "SOME_CODE", "details": details}


def test_each_fault_of_an_input_has_its_line(api: FakeApi) -> None:
    api.faults = [refusal(422, details=[{"pointer": "/input", "message": "must be an object"}, {"limit": 3}])]
    result = RUNNER.invoke(program, ["start", "order"])
    assert result.stderr.splitlines() == [
        "error: no such thing (SOME_CODE)",
        "  /input: must be an object",
        '  {"limit": 3}',
    ]


def test_a_server_that_cannot_be_reached_is_one_line_too(api: FakeApi) -> None:
    api.faults = [httpx2.ConnectError("refused")] * 2
    result = RUNNER.invoke(program, ["tail", EXECUTION])
    assert result.exit_code == Exit.UNAVAILABLE
    assert result.stderr == "error: cannot reach http://127.0.0.1:8080: refused (UNREACHABLE)\n"


def test_without_a_key_no_server_is_asked(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWSTRAND_API_KEY")
    result = RUNNER.invoke(program, ["get", EXECUTION])
    assert result.exit_code == Exit.USAGE
    assert result.stderr.endswith("(NO_API_KEY)\n")
    assert api.requests == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["start"],
        ["tail"],
        ["get", "a", "b"],
        ["nonsense"],
        ["dev", "--port", "x"],
        ["wait", "x", "--timeout", "soon"],
        ["start", "order", "--metadata", "customer"],
        ["start", "order", "--idempotency-ttl", "5y"],
        ["start", "order", "--input", "{"],
        ["start", "order", "--input", "@no/such/file.json"],
        ["schedule", "create", "s", "report"],
        ["schedule", "create", "s", "report", "--cron", "* * * * *", "--at", "2027-01-01T00:00:00Z"],
        ["queue", "limit", "payments"],
        ["queue", "limit", "payments", "--concurrent", "few"],
        ["list", "--status", "asleep"],
        ["completion", "show", "tcsh"],
    ],
)
def test_wrong_usage_exits_2_and_asks_no_server(api: FakeApi, arguments: list[str]) -> None:
    result = RUNNER.invoke(program, arguments)
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert api.requests == []


def test_the_app_must_exist(tmp_path: Path) -> None:
    arguments = ["dev", "--port", "0", "--data", str(tmp_path / "data"), "--app", "nowhere.py"]
    result = RUNNER.invoke(program, arguments)
    assert result.exit_code == Exit.USAGE
    assert result.stderr == "error: there is no file 'nowhere.py' (CONFIGURATION_ERROR)\n"


FAILURE = {"kind": "order", "error_type": "Boom"}


@pytest.mark.parametrize(
    ("error", "exit"),
    [
        (WorkflowFailed("no", **FAILURE), 1),
        (ChildWorkflowFailed("no", **FAILURE), 1),
        (LogCorrupted("a gap"), 1),
        (ConfigurationError("no key"), 2),
        (WorkflowCancelled("no more"), 3),
        (WorkflowTimeout("too long", **FAILURE), 4),
        (TimeoutError("still open"), 5),
        (StoreUnavailable("busy"), 9),
    ],
)
def test_the_numbers_stay_as_they_are(error: Exception, exit: int) -> None:
    assert exit_of(error) == exit


@pytest.mark.parametrize(
    ("error", "exit"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)], ids=["ctrl-c", "pipe"]
)
def test_whoever_goes_away_is_told_nothing(
    monkeypatch: pytest.MonkeyPatch, api: FakeApi, error: BaseException, exit: int
) -> None:
    def gone(*_: object) -> None:
        raise error

    monkeypatch.setattr("flowstrand.client.synchronous.SyncClient.get", gone)
    result = RUNNER.invoke(program, ["get", EXECUTION])
    assert (result.exit_code, result.output) == (exit, "")


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), told_on_one_line():
        raise ZeroDivisionError


def test_every_error_has_a_status() -> None:
    assert all(isinstance(exit_of(cls.__new__(cls)), Exit) for cls in tree(FlowstrandError))


def tree(cls: type[FlowstrandError]) -> list[type[FlowstrandError]]:
    return [cls, *(below for child in cls.__subclasses__() for below in tree(child))]
