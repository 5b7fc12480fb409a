"""The workflows that this repository shows and ships are what the static check lets pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowstrand.lint import check_file
from flowstrand.lint.module import Module
from flowstrand.lint.reach import reached

ROOT = Path(__file__).parents[3]
FILES = sorted(
    path
    for folder in ("bench", "examples", "layers/workflows/workflows")
    for path in (ROOT / folder).rglob("*.py")
)
APPS = [path for path in FILES if path.name == "app.py"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_found(path: Path) -> None:
    assert check_file(path) == []


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.parent.name)
def test_workflow_code_is_recognised(path: Path) -> None:
    module = Module.parse(str(path), path.read_text(encoding="utf-8"))
    assert any(code.where.startswith("workflow ") for code in reached(module))


def test_there_are_examples() -> None:
    assert len(APPS) >= 6
