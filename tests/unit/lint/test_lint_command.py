"""`flowstrand lint`: files, formats, configuration and exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flowstrand.cli.program import program

RUNNER = CliRunner()
FAULTY = """
from datetime import datetime
from random import random
from flowstrand import workflow

@workflow
async def order(ctx):
    return datetime.now(), random()
"""
CLEAN = FAULTY.replace("datetime.now(), random()", "ctx.current_time(), ctx.random.random()")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "a.py": FAULTY,
        "b.py": CLEAN,
        "sub/c.py": FAULTY,
        ".venv/d.py": FAULTY,
        "e.txt": "x",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lint(*arguments: str) -> tuple[int, str]:
    result = RUNNER.invoke(program, ["lint", *arguments])
    return result.exit_code, result.stdout


def test_findings_are_lines_that_editors_can_follow(project: Path) -> None:
    assert lint("a.py") == (
        1,
        (
            'a.py:8:12: FS101 datetime.now() in workflow "order": use ctx.current_time()\n'
            'a.py:8:28: FS102 random() in workflow "order": use ctx.random.random()\n'
        ),
    )


def test_directories_are_searched_but_for_hidden_ones(project: Path) -> None:
    _, out = lint()
    assert {line.partition(":")[0] for line in out.splitlines()} == {"a.py", "sub/c.py"}


def test_a_file_named_twice_is_told_once(project: Path) -> None:
    _, out = lint("a.py", ".", "sub")
    assert len(out.splitlines()) == 4


def test_nothing_found_exits_0(project: Path) -> None:
    assert lint("b.py") == (0, "")
    assert lint("b.py", "--format", "json") == (0, "[]\n")
    assert lint("b.py", "--json") == (0, "[]\n")


def test_json_holds_every_part_of_a_finding(project: Path) -> None:
    code, out = lint("a.py", "--format", "json", "--select", "FS101")
    assert code == 1
    assert json.loads(out) == [
        {
            "path": "a.py",
            "line": 8,
            "column": 12,
            "endLine": 8,
            "rule": "FS101",
            "message": 'datetime.now() in workflow "order": use ctx.current_time()',
            "use": "use ctx.current_time()",
            "where": 'workflow "order"',
            "trace": [],
        }
    ]


def test_github_gets_annotations(project: Path) -> None:
    (project / "x,y.py").write_text(FAULTY)
    assert lint("x,y.py", "--format", "github", "--ignore", "FS102") == (
        1,
        (
            "::error file=x%2Cy.py,line=8,endLine=8,col=12,title=FS101::"
            'datetime.now() in workflow "order": use ctx.current_time()\n'
        ),
    )


def test_what_is_not_python_is_told_beside_the_rest(project: Path) -> None:
    (project / "b.py").write_text("def f(:\n")
    (project / "f.py").write_bytes(b"x = '\xff'\n")
    code, out = lint("--ignore", "FS102", "--ignore", "FS2,FS3")
    assert code == 1
    assert [line.split()[1] for line in out.splitlines()] == ["FS101", "FS001", "FS001", "FS101"]


@pytest.mark.parametrize(
    "arguments", [["nowhere.py"], ["--select", "FS9"], ["--ignore", "x"], ["--format", "xml"], ["--select", ""]]
)
def test_wrong_usage_exits_2(project: Path, arguments: list[str]) -> None:
    assert lint(*arguments) == (2, "")


def test_the_nearest_pyproject_says_which_rules_and_files(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.flowstrand.lint]\nselect = ["FS102"]\nexclude = ["sub"]\n')
    _, out = lint()
    assert [line.split()[:2] for line in out.splitlines()] == [["a.py:8:28:", "FS102"]]
    _, overridden = lint("--select", "FS101", "a.py")
    assert "FS101" in overridden
    assert "FS102" not in overridden


def test_a_file_that_is_named_is_looked_at_even_if_excluded(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.flowstrand.lint]\nexclude = ["sub/*"]\nignore = ["FS101"]\n')
    assert len(lint("sub/c.py")[1].splitlines()) == 1
    assert len(lint()[1].splitlines()) == 1


@pytest.mark.parametrize(
    "table", ["selekt = []", 'select = "FS101"', "ignore = [1]", 'ignore = ["FS9"]', "exclude = ["]
)
def test_a_configuration_that_cannot_be_meant_exits_2(project: Path, table: str) -> None:
    (project / "pyproject.toml").write_text(f"[tool.flowstrand.lint]\n{table}\n")
    assert lint() == (2, "")
