"""The command line: what it prints, and how it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2
import pytest
import stamina
from typer.testing import CliRunner

from flowstrand.cli import connecting
from flowstrand.cli.demo import command as demo_command
from flowstrand.cli.demo.evidence import Evidence, Seen, document
from flowstrand.cli.demo.processes import Stack
from flowstrand.cli.event_line import event_line
from flowstrand.cli.program import program
from flowstrand.client import Client, SyncClient
from flowstrand.errors import Unavailable
from tests.unit.fake_api import EXECUTION, FAILING_TASK, FakeApi

RUNNER = CliRunner()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    fake = FakeApi()
    monkeypatch.setattr(connecting, "SyncClient", partial(SyncClient, transport=fake.transport))
    monkeypatch.setenv("FLOWSTRAND_API_KEY", "key")
    for name in ("FLOWSTRAND_URL", "FLOWSTRAND_ORG"):
        monkeypatch.delenv(name, raising=False)
    with stamina.set_testing(True, attempts=2, cap=True):
        yield fake


def test_start_prints_the_id_and_nothing_else(api: FakeApi) -> None:
    result = RUNNER.invoke(program, ["start", "order", "--input", '{"item": "thread"}', "--queue", "fast"])
    assert (result.exit_code, result.stdout) == (0, f"{EXECUTION}\n")
    body = json.loads(api.requests[0].content)
    assert body == {"kind": "order", "input": {"item": "thread"}, "queue": "fast"}


def test_an_input_that_is_not_json_is_wrong_usage(api: FakeApi) -> None:
    result = RUNNER.invoke(program, ["start", "order", "--input", "{"])
    assert result.exit_code == 2
    assert "--input" in result.stderr
    assert api.requests == []


@pytest.mark.parametrize(
    "arguments", [["start"], ["tail"], ["get", "a", "b"], ["nonsense"], ["dev", "--port", "x"]]
)
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    result = RUNNER.invoke(program, arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_start_may_be_given_a_key(api: FakeApi) -> None:
    result = RUNNER.invoke(program, ["start", "order", "--idempotency-key", "order-1042"])
    assert (result.exit_code, result.stdout) == (0, f"{EXECUTION}\n")
    assert json.loads(api.requests[0].content)["idempotencyKey"] == "order-1042"


def test_signal_with_start_prints_the_id(api: FakeApi) -> None:
    arguments = ["chat", "chat-7", "say", "--value", '"hello"', "--input", "[1]"]
    result = RUNNER.invoke(program, ["signal-with-start", *arguments])
    assert (result.exit_code, result.stdout) == (0, f"{EXECUTION}\n")
    body = json.loads(api.requests[0].content)
    assert (body["workflowId"], body["signalValue"], body["input"]) == ("chat-7", "hello", [1])


def test_a_refusal_is_one_line_on_stderr_with_its_code(api: FakeApi) -> None:
    refusal = {"error": "no such\nworkflow execution", "code": "EXECUTION_NOT_FOUND"}
    api.faults = [httpx2.Response(404, json=refusal)]
    result = RUNNER.invoke(program, ["get", "nothing"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: no such workflow execution (EXECUTION_NOT_FOUND)\n"


def test_a_server_that_cannot_be_reached_is_one_line_too(api: FakeApi) -> None:
    api.faults = [httpx2.ConnectError("refused")] * 2
    result = RUNNER.invoke(program, ["tail", EXECUTION])
    assert result.exit_code == 1
    assert result.stderr == "error: cannot reach http://127.0.0.1:8080: refused (UNREACHABLE)\n"


def test_without_a_key_no_server_is_asked(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWSTRAND_API_KEY")
    result = RUNNER.invoke(program, ["get", EXECUTION])
    assert result.exit_code == 1
    assert result.stderr.endswith("(NO_API_KEY)\n")
    assert api.requests == []


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


def test_get_prints_the_execution_as_json(api: FakeApi) -> None:
    api.output = {"total": 7}
    result = RUNNER.invoke(program, ["get", EXECUTION])
    shown = json.loads(result.stdout)
    assert (shown["status"], shown["output"], shown["currentSequence"]) == ("COMPLETED", {"total": 7}, 7)


def test_events_prints_a_line_per_event_in_order(api: FakeApi) -> None:
    result = RUNNER.invoke(program, ["events", EXECUTION, "--after", "2"])
    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert [line.split()[0] for line in lines] == ["3", "4", "5", "6", "7"]
    assert [line.split()[2] for line in lines] == list(FAILING_TASK[2:])


@pytest.mark.parametrize("command", ["events", "tail"])
def test_json_is_one_object_per_line(api: FakeApi, command: str) -> None:
    result = RUNNER.invoke(program, [command, EXECUTION, "--json"])
    shown = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(event["sequence"], event["type"]) for event in shown] == list(enumerate(FAILING_TASK, 1))
    assert all("timestamp" in event and "data" in event for event in shown)


def test_tail_follows_over_cut_connections(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowstrand.client.stream._DEFAULT_PAUSE_S", 0.0)
    api.cuts = [200, 30, 400]
    result = RUNNER.invoke(program, ["tail", EXECUTION])
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["1", "2", "3", "4", "5", "6", "7"]


@pytest.mark.parametrize(
    ("arguments", "printed", "path", "body"),
    [
        (["signal", EXECUTION, "go", "--value", "[1]"], "5", "signal", {"signalName": "go", "signalValue": [1]}),
        (["signal", EXECUTION, "go", "--json"], '{"signalEventSequence": 5}', "signal", {"signalName": "go"}),
        (["cancel", EXECUTION, "--reason", "no"], "COMPLETED", "cancel", {"reason": "no", "force": False}),
        (["cancel", EXECUTION, "--force", "--no-cascade"], "COMPLETED", "cancel", {"cascadeToChildren": False}),
        (["promise", "resolve", "e.p1", "--value", "true"], "7", "resolve", {"value": True}),
        (
            ["promise", "reject", "key:k", "--message", "no", "--json"],
            '{"sequence": 7, "alreadyResolved": true}',
            "reject",
            {"error": {"type": "Rejected", "message": "no"}},
        ),
    ],
)
def test_commands_send_what_they_say_and_print_what_came_of_it(
    api: FakeApi, arguments: list[str], printed: str, path: str, body: dict[str, object]
) -> None:
    result = RUNNER.invoke(program, arguments)
    assert (result.exit_code, result.stdout) == (0, f"{printed}\n")
    asked = api.requests[0]
    assert asked.url.path.endswith(f"/{path}")
    assert body.items() <= json.loads(asked.content).items()


def test_an_event_line_tells_the_error_and_takes_markup_for_text() -> None:
    data = {"kind": "pay", "status": "FAILED", "error": {"type": "Boom", "message": "[red]no[/red]"}}
    assert event_line(5, "TASK_FAILED", None, data).plain.endswith("pay · FAILED · Boom: [red]no[/red]")


def test_the_app_must_exist(tmp_path: Path) -> None:
    arguments = ["dev", "--port", "0", "--data", str(tmp_path / "data"), "--app", "nowhere.py"]
    result = RUNNER.invoke(program, arguments)
    assert result.exit_code == 1
    assert result.stderr == "error: there is no file 'nowhere.py' (CONFIGURATION_ERROR)\n"


def evidence(*sequences: int, sse: tuple[int, ...] | None = None) -> Evidence:
    seen = tuple(Seen(sequence, "WORKFLOW_STARTED") for sequence in sequences)
    streamed = seen if sse is None else tuple(Seen(sequence, "WORKFLOW_STARTED") for sequence in sse)
    return Evidence(
        id="e", kind="k", scenario="order", status="COMPLETED", history=seen, long_poll=seen, sse=streamed
    )


@pytest.mark.parametrize(
    ("shown", "identical", "dense"),
    [
        ([evidence(1, 2, 3)], True, True),
        ([evidence(1, 2, 3), evidence(1, 2, sse=(2, 1))], False, False),
        ([evidence(1, 2, sse=(1,))], False, True),
        ([evidence(1, 3)], True, False),
        ([evidence(1, 1)], True, False),
        ([evidence()], True, False),
        ([], False, False),
    ],
)
def test_the_verdict_is_about_every_transport_of_every_execution(
    shown: list[Evidence], identical: bool, dense: bool
) -> None:
    verdict = document(shown)
    assert (verdict["identical"], verdict["dense"]) == (identical, dense)


class Demo:
    """The demo command against the fake server, without processes."""

    def __init__(self, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
        @contextmanager
        def stack(_: str) -> Iterator[Stack]:
            yield Stack(url="http://server", api_key="key")

        monkeypatch.setattr(demo_command, "running_stack", stack)
        monkeypatch.setattr(demo_command, "Client", partial(Client, transport=api.transport))
        monkeypatch.setattr("signal.signal", lambda *_: None)


def test_the_demo_prints_one_document_and_nothing_else(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    Demo(api, monkeypatch)
    result = RUNNER.invoke(program, ["demo", "--json"])
    shown = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (shown["identical"], shown["dense"]) == (True, True)
    assert [execution["scenario"] for execution in shown["executions"]] == [
        "failing-task",
        "parent-child",
        "order",
    ]
    first = shown["executions"][0]
    expected = [{"sequence": sequence, "type": type} for sequence, type in enumerate(FAILING_TASK, 1)]
    assert first["history"] == first["longPoll"] == first["sse"] == expected
    assert set(first) == {"id", "kind", "scenario", "status", "history", "longPoll", "sse"}


def test_the_demo_shows_events_and_a_table(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    Demo(api, monkeypatch)
    result = RUNNER.invoke(program, ["demo"])
    assert result.exit_code == 0
    assert result.stdout.count("WORKFLOW_COMPLETED") == 3
    assert "long-poll" in result.stdout


def test_the_demo_fails_where_transports_disagree(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    Demo(api, monkeypatch)
    monkeypatch.setattr(Evidence, "is_identical", property(lambda _: False))
    result = RUNNER.invoke(program, ["demo", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["identical"] is False


def test_a_demo_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch, api: FakeApi) -> None:
    Demo(api, monkeypatch)

    def broken(_: str) -> Stack:
        raise Unavailable("the demo's server did not start: out of luck", code="DEMO_NOT_STARTED")

    monkeypatch.setattr(demo_command, "running_stack", broken)
    result = RUNNER.invoke(program, ["demo", "--json"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "error: the demo's server did not start: out of luck (DEMO_NOT_STARTED)\n"
