"""How findings are told: to people, to programs, and to GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from flowstrand.jsonvalue import JsonObject
from flowstrand.lint.finding import Finding


class Format(StrEnum):
    """`--format`."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def render(findings: Sequence[Finding], format: Format) -> str:
    """All findings as one text, without a newline at its end."""
    return _RENDERERS[format](findings)


def _text(findings: Sequence[Finding]) -> str:
    """`path:line:column: FS101 message`, one to a line."""
    return "\n".join(
        f"{found.path}:{found.line}:{found.column}: {found.rule} {found.message}" for found in findings
    )


def _json(findings: Sequence[Finding]) -> str:
    """An array of objects."""
    return json.dumps([_object(found) for found in findings], indent=2, ensure_ascii=False)


def _object(found: Finding) -> JsonObject:
    return {
        "path": found.path,
        "line": found.line,
        "column": found.column,
        "endLine": found.end_line,
        "rule": found.rule,
        "message": found.message,
        "use": found.use,
        "where": found.where,
        "trace": [{"function": step.function, "line": step.line} for step in found.trace],
    }


def _github(findings: Sequence[Finding]) -> str:
    """Workflow commands, which GitHub shows beside the code."""
    return "\n".join(
        f"::error file={_property(found.path)},line={found.line},endLine={found.end_line},col={found.column},"
        f"title={_property(found.rule)}::{_data(found.message)}"
        for found in findings
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_RENDERERS: Mapping[Format, Callable[[Sequence[Finding]], str]] = {
    Format.TEXT: _text,
    Format.JSON: _json,
    Format.GITHUB: _github,
}
