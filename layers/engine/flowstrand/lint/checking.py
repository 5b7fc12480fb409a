"""Checking files: what is wrong with the workflow code in them."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from flowstrand.lint.finding import Finding
from flowstrand.lint.module import Module
from flowstrand.lint.reach import Reached, reached
from flowstrand.lint.rules import SYNTAX_ERROR
from flowstrand.lint.rules.rule import Fault, Rule
from flowstrand.lint.selection import KNOWN, selected
from flowstrand.lint.suppression import suppressions_of


def check_file(file: Path, rules: Iterable[Rule] | None = None) -> list[Finding]:
    """Findings of one file, in the order of its text. A file that is not Python has one, `FS001`."""
    path = str(file)
    try:
        with tokenize.open(file) as opened:
            text = opened.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        return [_unreadable(path, error)]
    return check_source(path, text, rules)


def check_source(path: str, text: str, rules: Iterable[Rule] | None = None) -> list[Finding]:
    """Findings of a file with this text; `rules` are those on by default if None."""
    try:
        module = Module.parse(path, text)
        suppressions = suppressions_of(path, text, KNOWN)
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError) as error:
        return [_unreadable(path, error)]
    chosen = selected() if rules is None else tuple(rules)
    lines = text.split("\n")  # as the parser counts them
    found = {
        (finding.line, finding.column, finding.rule): finding
        for code in reached(module)
        for finding in _findings(path, lines, code, chosen)
    }
    kept = [finding for finding in found.values() if not suppressions.allow(finding)]
    return sorted([*kept, *suppressions.bad], key=lambda finding: finding.order)


def _findings(path: str, lines: Sequence[str], code: Reached, rules: tuple[Rule, ...]) -> Iterator[Finding]:
    for place in code.places:
        for rule in rules:
            for fault in rule.faults(place):
                yield _finding(path, lines, code, rule, fault)


def _finding(path: str, lines: Sequence[str], code: Reached, rule: Rule, fault: Fault) -> Finding:
    node = fault.node
    assert isinstance(node, ast.expr | ast.stmt)  # rules point at what has a place in the text
    return Finding(
        path=path,
        line=node.lineno,
        column=_characters(lines, node.lineno, node.col_offset) + 1,
        end_line=node.end_lineno or node.lineno,
        rule=rule.id,
        what=fault.what,
        use=fault.use,
        where=code.where,
        trace=code.trace,
    )


def _characters(lines: Sequence[str], line: int, offset: int) -> int:
    """How many characters come before an offset in bytes of UTF-8."""
    text = lines[line - 1] if line <= len(lines) else ""
    return len(text.encode()[:offset].decode(errors="replace"))


def _unreadable(path: str, error: Exception) -> Finding:
    line = getattr(error, "lineno", None) or 1
    column = getattr(error, "offset", None) or 1
    what = f"not Python: {getattr(error, 'msg', None) or error}"
    return Finding(
        path=path,
        line=line,
        column=column,
        end_line=line,
        rule=SYNTAX_ERROR,
        what=what,
        use="nothing in it was checked",
    )
