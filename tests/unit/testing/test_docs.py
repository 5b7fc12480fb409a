"""The examples of docs/testing.md are a project whose tests pass."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from flowstrand import WorkflowContext

pytest_plugins = ["pytester"]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "testing.md"


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


def test_the_examples_pass(pytester: pytest.Pytester) -> None:
    written = files()
    if not hasattr(WorkflowContext, "promise"):
        del written["test_approval.py"]
    for name, code in written.items():
        (pytester.path / name).write_text(code, encoding="utf-8")
    pytester.syspathinsert()
    pytester.run(sys.executable, "record.py")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    tests = sum(len(re.findall(r"^(?:async )?def test_", code, re.MULTILINE)) for code in written.values())
    result.assert_outcomes(passed=tests)


@pytest.mark.parametrize(("app", "status"), [("shop.py", 0), ("test_histories.py", 1)])
def test_the_command_of_the_page_works(pytester: pytest.Pytester, app: str, status: int) -> None:
    for name, code in files().items():
        (pytester.path / name).write_text(code, encoding="utf-8")
    pytester.run(sys.executable, "record.py")
    changed = (
        (pytester.path / "shop.py").read_text(encoding="utf-8").replace("charge_card, order", '"other", order')
    )
    if status:
        (pytester.path / app).write_text(changed, encoding="utf-8")
    history = "histories/order-waits-for-delivery.json"
    result = pytester.run(sys.executable, "-m", "flowstrand.cli", "replay", history, "--app", app)
    assert result.ret == status
