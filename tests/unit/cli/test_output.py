"""What people see: tables that fit their terminal, and lines that other programs can take where there is none."""

from __future__ import annotations

import io
import json
from typing import Literal

import pytest
from rich.console import Console

from flowstrand.cli.cells import Column, cell, label
from flowstrand.cli.output import Output
from flowstrand.jsonvalue import JsonObject
from tests.unit.cli.cases import FAILED_TASK, RUNNING_TASK, E

COLUMNS = (
    Column("taskExecutionId", "TASK", is_whole=True),
    Column("kind", "KIND"),
    Column("status", "STATUS", is_whole=True),
    Column("error", "ERROR"),
)
LONG: JsonObject = {**FAILED_TASK, "error": {"type": "SoldOut", "message": "no hats left, " * 10}}


def printed(*rows: JsonObject, width: int = 100, terminal: bool = True, color: bool = False) -> str:
    file = io.StringIO()
    system: Literal["standard", "auto"] | None = ("standard" if terminal else "auto") if color else None
    console = Console(
        file=file, force_terminal=terminal, width=width, color_system=system, highlight=False, soft_wrap=True
    )
    Output(as_json=False, console=console).many("tasks", rows, COLUMNS)
    return file.getvalue()


def test_a_table_fits_the_terminal_and_cuts_what_may_be_cut() -> None:
    lines = printed(RUNNING_TASK, LONG, width=70).splitlines()
    assert [line.rstrip() for line in lines] == [
        "TASK                           KIND     STATUS   ERROR",
        f"{E}.t3  pay      RUNNING  -",
        f"{E}.t1  reserve  FAILED   SoldOut: no hats lef…",
    ]


def test_a_terminal_too_narrow_for_ids_gets_cards() -> None:
    assert printed(RUNNING_TASK, FAILED_TASK, width=40).splitlines() == [
        f"task execution id  {E}.t3",
        "kind               pay",
        "status             RUNNING",
        "",
        f"task execution id  {E}.t1",
        "kind               reserve",
        "status             FAILED",
        "error              SoldOut: no hats left",
    ]


def test_where_there_is_no_terminal_nothing_is_cut_and_each_row_is_a_line() -> None:
    header, row = printed(LONG, width=40, terminal=False).splitlines()
    assert header.split() == ["TASK", "KIND", "STATUS", "ERROR"]
    assert row.endswith("no hats left,")
    assert row.startswith(f"{E}.t1  reserve  FAILED  SoldOut: no hats left, no hats left")


def test_a_status_has_its_colour_on_a_terminal_only() -> None:
    assert "\x1b[1;31mFAILED" in printed(FAILED_TASK, color=True)
    assert "\x1b" not in printed(FAILED_TASK, color=True, terminal=False)


def test_no_color_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in printed(FAILED_TASK, color=True)


def test_an_empty_list_says_so_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).many("tasks", [], COLUMNS)
    assert capsys.readouterr() == ("", "none: there are no tasks\n")
    Output(as_json=True).many("tasks", [], COLUMNS)
    assert capsys.readouterr() == ('{"tasks": []}\n', "")


def test_json_is_a_line_in_a_pipe_and_readable_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    value: JsonObject = {"name": "Größe", "parts": [1, 2]}
    Output(as_json=True).one(value)
    assert capsys.readouterr().out == '{"name": "Größe", "parts": [1, 2]}\n'
    file = io.StringIO()
    Output(as_json=True, console=Console(file=file, force_terminal=True, color_system=None)).one(value)
    assert len(file.getvalue().splitlines()) == 7
    assert json.loads(file.getvalue()) == value


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("nextRunAt", "2026-11-24T02:00:00.123Z", "2026-11-24 02:00:00Z"),
        ("name", "two\nlines", "two lines"),
        ("queues", ["a", "b"], "a, b"),
        ("queues", [], "-"),
        ("numbers", [1, 2], "[1, 2]"),
        ("deployed", True, "true"),
        ("queue", None, "-"),
        ("error", {"type": "Boom", "message": "no\nluck"}, "Boom: no luck"),
    ],
)
def test_fields_are_shown_as_people_read_them(field: str, value: object, expected: str) -> None:
    assert cell(field, value) == expected  # type: ignore[arg-type]  # a JSON value


def test_a_field_has_words_for_a_name() -> None:
    assert label("parentWorkflowExecutionId") == "parent workflow execution id"
