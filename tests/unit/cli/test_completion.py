"""Shell completion: scripts for three shells, and names that only the server knows."""

from __future__ import annotations

import subprocess
import sys

import httpx2
import pytest
from typer.testing import CliRunner

from flowstrand.cli.program import program
from tests.unit.cli.cases import NIGHTLY, TASK, WORKFLOW
from tests.unit.fake_api import FakeApi

RUNNER = CliRunner()


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("bash", "complete -o default -F _flowstrand_completion flowstrand"),
        ("zsh", "compdef _flowstrand_completion flowstrand"),
        ("fish", "complete --command flowstrand"),
    ],
)
def test_a_shell_gets_its_script(shell: str, line: str) -> None:
    result = RUNNER.invoke(program, ["completion", "show", shell])
    assert result.exit_code == 0
    assert line in result.stdout


def offered(words: str) -> list[str]:
    """What bash would offer for the last of these words."""
    environment = {
        "_FLOWSTRAND_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    printed = RUNNER.invoke(program, [], env=environment, prog_name="flowstrand").stdout
    return sorted(word for word in printed.splitlines() if word)


def test_commands_and_options_are_offered() -> None:
    assert offered("flowstrand sig") == ["signal", "signal-with-start"]
    assert offered("flowstrand schedule re") == ["resume"]
    assert offered("flowstrand start --inp") == ["--input"]


def test_kinds_are_those_of_the_server(api: FakeApi) -> None:
    api.faults = [httpx2.Response(200, json={"definitions": [TASK, WORKFLOW]})]
    assert offered("flowstrand start or") == ["order"]


def test_the_server_is_the_one_that_the_options_name(api: FakeApi) -> None:
    api.faults = [httpx2.Response(200, json={"schedules": [NIGHTLY]})]
    assert offered("flowstrand schedule get --org acme ni") == ["nightly"]
    assert api.requests[0].url.path == "/api/orgs/acme/schedules"


def test_without_a_server_nothing_is_offered(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    api.faults = [httpx2.ConnectError("refused")] * 2
    assert offered("flowstrand start or") == []
    monkeypatch.delenv("FLOWSTRAND_API_KEY")
    assert offered("flowstrand start or") == []


def test_words_that_need_no_server_need_no_client_either() -> None:
    """Who presses a key is waiting: pydantic, httpx and the engine take longer to import than all the rest to run."""
    found = subprocess.run(
        [sys.executable, "-c", "import sys, flowstrand.cli.program; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert {"pydantic", "httpx2", "boto3", "starlette"} & set(found.stdout.split()) == set()
