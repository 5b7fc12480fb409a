"""The examples of docs/testing.md are a project whose tests pass."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "testing.md"

RECORD = """
import asyncio, record

asyncio.run(record.main())
"""
COMMAND = """
from pathlib import Path

from typer.testing import CliRunner

from flowstrand.cli.program import program

def test_command():
    histories = [str(history) for history in Path("histories").iterdir()]
    answer = CliRunner().invoke(program, ["replay", *histories, "--app", "shop.py"])
    assert answer.exit_code == 0, answer.output
"""


def files() -> dict[str, str]:
    """The page's Python, by the file that each block says it belongs to."""
    found: defaultdict[str, str] = defaultdict(str)
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        found[name] += f"{code}\n\n"
    return dict(found)


def test_every_block_says_which_file_it_belongs_to() -> None:
    blocks = PAGE.read_text(encoding="utf-8").count("```python")
    assert blocks == len(re.findall(r"```python\n# \w+\.py\n", PAGE.read_text(encoding="utf-8")))
    assert set(files()) == {"shop.py", "record.py", "test_shop.py", "test_approval.py", "test_histories.py"}


def test_the_examples_pass_and_the_command_of_the_page_works(pytester: pytest.Pytester) -> None:
    written = files()
    for name, code in {**written, "conftest.py": RECORD, "test_command.py": COMMAND}.items():
        (pytester.path / name).write_text(code, encoding="utf-8")
    pytester.syspathinsert()
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    tests = sum(len(re.findall(r"^(?:async )?def test_", code, re.MULTILINE)) for code in written.values())
    result.assert_outcomes(passed=tests + 1)
