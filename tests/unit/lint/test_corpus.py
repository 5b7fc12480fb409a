"""The corpus: every line that says `# expect: FS101` is found, and nothing else is."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from flowstrand.lint import check_file
from flowstrand.lint.rules import ALWAYS, RULES, SYNTAX_ERROR

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.glob("*.py"))
EXPECT = re.compile(r"# expect: (?P<ids>FS\d+(?:, FS\d+)*)$")


def expected(file: Path) -> Counter[tuple[int, str]]:
    found: Counter[tuple[int, str]] = Counter()
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if match := EXPECT.search(line):
            found.update((number, id) for id in match["ids"].split(", "))
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_planted_is_found_and_nothing_else(file: Path) -> None:
    assert Counter((finding.line, finding.rule) for finding in check_file(file)) == expected(file)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES if rule.is_default])
def test_every_rule_is_planted_in_several_ways(rule: str) -> None:
    assert sum(found == rule for file in FILES for _, found in expected(file)) >= 3


def test_nothing_is_planted_in_clean_files() -> None:
    clean = [file for file in FILES if file.stem.startswith("clean")]
    assert len(clean) >= 3
    assert not any(expected(file) for file in clean)


def test_ids_are_unique() -> None:
    ids = [*(rule.id for rule in RULES), *ALWAYS]
    assert len(ids) == len(set(ids))
    assert SYNTAX_ERROR in ALWAYS
