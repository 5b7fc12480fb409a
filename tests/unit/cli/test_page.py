"""docs/command-line.md: its console shows what is printed, its tables have every command and every exit status."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from flowstrand.cli.exits import Exit
from flowstrand.cli.program import program
from tests.unit.cli.cases import CASES, LIMITED, STARTED
from tests.unit.cli.test_every_command import commands
from tests.unit.fake_api import FakeApi

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "command-line.md").read_text(encoding="utf-8")
CONSOLE = re.compile(r"^\$ (.*)\n((?:(?!\$ |```).*\n)*)", re.MULTILINE)
ANSWERS: dict[str, list[Any]] = {
    "start order": [
        STARTED,
        {**STARTED, "status": "COMPLETED", "output": ["hat, reserved"], "currentSequence": 9},
    ],
    "queue get": [LIMITED],
    "get nothing": [{"error": "there is no such workflow execution", "code": "EXECUTION_NOT_FOUND"}],
}


def answers(words: list[str]) -> list[httpx2.Response]:
    bodies = ANSWERS.get(" ".join(words[:2])) or next(
        case.answers for case in CASES if case.command[0] == words[0]
    )
    return [httpx2.Response(404 if "error" in body and "code" in body else 200, json=body) for body in bodies]


@pytest.mark.parametrize(("command", "shown"), CONSOLE.findall(PAGE))
def test_the_console_shows_what_is_printed(api: FakeApi, command: str, shown: str) -> None:
    _, *words = shlex.split(command)
    api.faults = [*answers(words)]
    assert CliRunner().invoke(program, words).output == shown


def test_the_tables_have_every_command_and_no_other() -> None:
    listed = re.findall(r"^\| (`flowstrand .*?) \| ", PAGE, re.MULTILINE)
    named = {
        " ".join(word for word in cell.split()[1:] if not word.isupper())
        for row in listed
        for cell in re.findall(r"`(.*?)`", row)
    }
    assert named == {name for name, _ in commands()}


def test_the_table_has_every_exit_status() -> None:
    rows = re.findall(r"^\| (\d+) \| ", PAGE, re.MULTILINE)
    assert [int(row) for row in rows] == list(Exit)
