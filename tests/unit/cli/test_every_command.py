"""Every command in both its forms, and a command for every route."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from flowstrand.cli.program import program
from flowstrand.local.routes import ROUTES, Route, match
from tests.unit.cli.cases import CASES, GROUPS, Case, E
from tests.unit.fake_api import FakeApi

RUNNER = CliRunner()
CLOCK = re.compile(r"(?<=  )\d\d:\d\d:\d\d\.\d{3}")
"""Event lines tell the time here."""

WITHOUT_A_COMMAND = {
    "/workers": "POST: workers register themselves",
    "/workers/{workerId}/heartbeat": "workers say that they are there",
    "/queues/{queue}/poll": "workers claim attempts",
    "/task-executions/{taskId}/payloads": "workers upload, under a lease",
    "/task-executions/{taskId}/complete": "workers report, under a lease",
    "/task-executions/{taskId}/fail": "workers report, under a lease",
    "/task-executions/{taskId}/heartbeat": "workers report, under a lease",
    "/task-executions/{taskId}/stream": "POST: workers report, under a lease",
    "/task-executions/{taskId}/logs": "POST: workers report, under a lease",
}
FOLLOWED = {
    ("GET", f"/{followed}")
    for followed in (
        "workflow-executions/{executionId}/stream",
        "workflow-executions/{executionId}/stream/consolidated",
        "task-executions/{taskId}/stream",
        "events/stream",
    )
}
"""What `tail`, `task tail` and `feed` read is a stream: see `test_following.py`."""


def name_of(case: Case) -> str:
    return " ".join(case.command[:2]) if case.command[0] in GROUPS else case.command[0]


def run(api: FakeApi, case: Case, *more: str) -> str:
    api.faults = [given(answer) for answer in case.answers]
    result = RUNNER.invoke(program, [*case.command, *more])
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert api.faults == [], "every answer was asked for"
    return result.stdout


def given(answer: Any) -> httpx2.Response:
    """What a case says of an answer: JSON, or all of it."""
    if isinstance(answer, httpx2.Response):
        return httpx2.Response(answer.status_code, content=answer.content, headers=answer.headers)
    return httpx2.Response(200, json=answer)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_command_prints_a_document_for_programs(api: FakeApi, case: Case) -> None:
    [line] = run(api, case, "--json").splitlines()
    assert json.loads(line) == case.expected


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_command_prints_text_for_people(api: FakeApi, case: Case) -> None:
    assert CLOCK.sub("00:00:00.000", run(api, case)).splitlines() == case.lines
    sent = json.loads(api.requests[0].content or "{}")
    assert case.sends.items() <= sent.items()


def test_there_is_a_command_for_every_route(api: FakeApi) -> None:
    for case in CASES:
        run(api, case)
    found = [match(request.method, request.url.raw_path.decode().partition("?")[0]) for request in api.requests]
    asked = {(hit[0].method, below_the_org(hit[0].resource)) for hit in found if hit} | FOLLOWED
    routes = {(route.method, below_the_org(route.resource)) for route in ROUTES if not is_of_protocol(route)}
    assert routes - asked == {(method, path) for method, path in routes if is_for_workers(method, path)}


def is_for_workers(method: str, path: str) -> bool:
    return method == "POST" and path in WITHOUT_A_COMMAND


def is_of_protocol(route: Route) -> bool:
    """Whether it shows what commands read elsewhere to those who speak the Durable Streams protocol, or refuses to be written to."""
    return route.resource.startswith("/v1/stream/") and "/channels/" not in route.resource


def below_the_org(resource: str) -> str:
    return resource.removeprefix("/api/orgs/{org}")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command's path, and its examples."""
    for info in program.registered_commands:
        yield str(info.name), examples(info.epilog)
    for group in program.registered_groups:
        assert group.typer_instance is not None
        for info in group.typer_instance.registered_commands:
            yield f"{group.typer_instance.info.name} {info.name}", examples(info.epilog)


def examples(epilog: str | None) -> list[str]:
    lines = (epilog or "").split("\n\n")[1:]
    return [re.sub(r"\\(\[)", r"\1", line.removeprefix("[dim]$ ").removesuffix("[/dim]")) for line in lines]


def test_every_command_has_an_example_that_names_it() -> None:
    without = [name for name, shown in commands() if not shown]
    assert without == []
    for name, shown in commands():
        for example in shown:
            words = [word for word in shlex.split(example) if word]
            assert " ".join(words[: 1 + len(name.split())]) == f"flowstrand {name}"


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_has_help(name: str) -> None:
    result = RUNNER.invoke(program, [*name.split(), "--help"], terminal_width=100)
    assert result.exit_code == 0
    assert "Examples" in result.stdout


def test_every_command_that_talks_to_a_server_takes_the_same_options() -> None:
    for case in CASES:
        words = [word for word in case.command if re.fullmatch(r"[a-z-]+", word) and not word.startswith("-")]
        path = words[:2] if case.command[0] in GROUPS else words[:1]
        shown = RUNNER.invoke(program, [*path, "--help"], terminal_width=100).stdout
        assert all(option in shown for option in ("--json", "--url", "--api-key", "--org")), path


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_that_prints_a_result_can_print_json(name: str) -> None:
    shown = RUNNER.invoke(program, [*name.split(), "--help"], terminal_width=100).stdout
    assert ("--json" in shown) == (name != "completion show")


def test_the_ids_in_cases_are_ids() -> None:
    assert len(E) == 26
