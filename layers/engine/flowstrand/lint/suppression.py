"""`# flowstrand: allow[FS101] reason`: a comment that lets one fault pass, and says why."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field

from flowstrand.dataclass import dataclass
from flowstrand.lint.finding import Finding
from flowstrand.lint.rules import BAD_SUPPRESSION

_COMMENT = re.compile(r"#\s*flowstrand:\s*allow\b(?P<list>\[(?P<ids>[^\]]*)\])?(?P<reason>[^#]*)")
_EXAMPLE = "write `# flowstrand: allow[FS101] why it is safe here`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppressions:
    """The suppressions of one file.

    Attributes:
        by_line: the rules that each line lets pass.
        bad: comments that suppress nothing, because they give no reason or name no rule.
    """

    by_line: Mapping[int, frozenset[str]] = field(default_factory=dict)
    bad: tuple[Finding, ...] = ()

    def allow(self, finding: Finding) -> bool:
        """Whether a comment on one of the finding's lines, or alone on the line above, lets it pass."""
        lines = range(finding.line, finding.end_line + 1)
        return any(finding.rule in self.by_line.get(line, ()) for line in lines)


def suppressions_of(path: str, text: str, known: Collection[str]) -> Suppressions:
    """Read the comments of a file. A comment alone on its line speaks of the next line of code."""
    by_line: dict[int, frozenset[str]] = {}
    bad: list[Finding] = []
    for comment, line in _comments(text):
        match = _COMMENT.search(comment.string)
        if match is None:
            continue
        ids = frozenset(id.strip() for id in (match["ids"] or "").split(",") if id.strip())
        if fault := _fault(ids, match["reason"], known):
            bad.append(_finding(path, comment, fault))
        else:
            by_line[line] = by_line.get(line, frozenset()) | ids
    return Suppressions(by_line=by_line, bad=tuple(bad))


def _fault(ids: Collection[str], reason: str, known: Collection[str]) -> str | None:
    if not ids:
        return "a suppression that names no rule"
    if unknown := sorted(set(ids) - set(known)):
        return f"a suppression of {', '.join(unknown)}, which is no rule"
    return None if reason.strip(" \t-:") else "a suppression without a reason"


def _finding(path: str, comment: tokenize.TokenInfo, what: str) -> Finding:
    line, column = comment.start
    return Finding(
        path=path, line=line, column=column + 1, end_line=line, rule=BAD_SUPPRESSION, what=what, use=_EXAMPLE
    )


def _comments(text: str) -> Iterator[tuple[tokenize.TokenInfo, int]]:
    """Every comment, with the line of the code that it speaks of."""
    alone: list[tokenize.TokenInfo] = []
    code_line = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        match token.type:
            case tokenize.COMMENT if token.start[0] == code_line:
                yield token, code_line
            case tokenize.COMMENT:
                alone.append(token)
            case tokenize.NL | tokenize.NEWLINE | tokenize.INDENT | tokenize.DEDENT | tokenize.ENDMARKER:
                pass
            case _:
                yield from ((comment, token.start[0]) for comment in alone)
                alone.clear()
                code_line = token.end[0]
