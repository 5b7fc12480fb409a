"""The SDK is typed end to end, for the two type checkers that authors use.

Each file of the corpus says what must hold (`assert_type`) and, by `# error: …`, which lines must be refused. Both
checkers are run over all of it, as strictly as they go without rules of their own, and must report those lines and no
others. `scripts/lint` leaves the corpus out.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowstrand import App
from flowstrand.engine.replay.program import Program
from flowstrand.sdk.definition import Definition
from flowstrand.service.container import Programs

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "typing" / "corpus"
FILES = sorted(CORPUS.glob("*.py"))

Found = set[tuple[str, int]]
"""File names and line numbers."""


def run(*command: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert finished.returncode in {0, 1}, finished.stdout + finished.stderr
    return finished.stdout


def by_mypy(_: Path) -> dict[tuple[str, int], str]:
    lines = run("mypy", "--config-file", "pyproject.toml", *map(str, FILES)).splitlines()
    found = [re.fullmatch(r"(.*?):(\d+): error: (.*)", line) for line in lines]
    return {(Path(match[1]).name, int(match[2])): match[3] for match in found if match}


def by_pyright(folder: Path) -> dict[tuple[str, int], str]:
    settings = folder / "pyrightconfig.json"
    settings.write_text(
        json.dumps(
            {
                "include": [str(CORPUS)],
                "extraPaths": [str(ROOT / "layers" / "engine"), str(ROOT)],
                "pythonVersion": "3.11",
                "typeCheckingMode": "strict",
                # The corpus is about types, not about tidiness; and it asks for coroutines that it never awaits.
                "reportUnusedFunction": False,
                "reportUnusedCoroutine": False,
                # Where the tests' environment is.
                "venvPath": str(Path(sys.prefix).parent),
                "venv": Path(sys.prefix).name,
            }
        ),
        encoding="utf-8",
    )
    report = json.loads(run("basedpyright", "--outputjson", "--project", str(settings)))
    return {
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1): found["message"]
        for found in report["generalDiagnostics"]
        if found["severity"] == "error"
    }


def expected() -> Found:
    return {
        (file.name, number)
        for file in FILES
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if "  # error: " in line
    }


@pytest.mark.parametrize("checker", [by_mypy, by_pyright])
def test_a_checker_accepts_what_is_right_and_refuses_what_is_wrong(
    checker: Callable[[Path], dict[tuple[str, int], str]], tmp_path: Path
) -> None:
    found = checker(tmp_path)
    assert {place: message for place, message in found.items() if place not in expected()} == {}
    assert expected() - found.keys() == set(), "these should be errors"


def test_what_type_checkers_accept_is_accepted_when_it_runs() -> None:
    modules = [importlib.import_module(f"tests.typing.corpus.{file.stem}") for file in FILES]
    found: list[Any] = [
        value for module in modules for value in vars(module).values() if isinstance(value, Definition)
    ]
    app = App(
        workflows={d for d in found if d.NOUN == "workflow"},
        tasks={d for d in found if d.NOUN == "task"},
    )
    programs: Programs = app
    program = programs.program("child")
    same: Program | None = program
    assert same is program is not None
    assert {"AloneClass", "alone", "child", "child-class"} <= set(app.kinds())
    assert {"PingClass", "async-ping-class", "charge", "charge-class", "log", "ping"} <= set(app.task_kinds())
