"""`flowstrand demo`: its verdict, and what it prints."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from typer.testing import CliRunner

from flowstrand.cli.demo import command as demo_command
from flowstrand.cli.demo.evidence import Evidence, Seen, document
from flowstrand.cli.demo.processes import Stack
from flowstrand.cli.program import program
from flowstrand.client import Client
from flowstrand.errors import Unavailable
from tests.unit.fake_api import FAILING_TASK, FakeApi

RUNNER = CliRunner()


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
        monkeypatch.setattr("flowstrand.client.Client", partial(Client, transport=api.transport))
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
    assert (result.exit_code, result.stdout) == (9, "")
    assert json.loads(result.stderr)["code"] == "DEMO_NOT_STARTED"
    assert (
        RUNNER.invoke(program, ["demo"]).stderr
        == "error: the demo's server did not start: out of luck (DEMO_NOT_STARTED)\n"
    )
