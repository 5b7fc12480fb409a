"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, or nothing where there are no rows; cells are Markdown, on one line each."""
    lines = [_row([_cell(cell) for cell in row]) for row in rows]
    return "\n".join([_row(head), _row(["---"] * len(head)), *lines]) + "\n\n" if lines else ""


def code(text: str) -> str:
    """The text as code, whatever is in it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def one_line(text: str) -> str:
    return " ".join(text.split())


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")
