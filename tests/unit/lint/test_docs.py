"""docs/lint.md has a row for every rule, in the rule's own words."""

from __future__ import annotations

from pathlib import Path

from flowstrand.lint.rules import ALWAYS, RULES

PAGE = (Path(__file__).parents[3] / "docs" / "lint.md").read_text(encoding="utf-8")


def test_the_table_is_that_of_the_rules() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| FS")]
    assert rows == [
        *(f"| {id} | | {summary} | |" for id, summary in ALWAYS.items()),
        *(f"| {rule.id} | {rule.name} | {rule.summary} | {rule.use} |" for rule in RULES),
    ]
