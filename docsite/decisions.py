"""The list of decision records, which is the one way to them: they have no place of their own in the table of contents."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from docsite.page import Page
from docsite.reference.table import table

FOLDER = PurePosixPath("adr")


def decisions_page(root: Path) -> Page:
    rows = [_row(file) for file in sorted((root / "docs" / FOLDER).glob("[0-9]*.md"))]
    text = (
        "# Decisions\n\nWhat could have gone another way, and why it did not. Each record is a page at most.\n\n"
    )
    return Page(place=FOLDER / "index.md", text=text + table(("", "decision", "status"), rows))


def _row(file: Path) -> tuple[str, str, str]:
    text = file.read_text(encoding="utf-8")
    number, _, title = text.splitlines()[0].removeprefix("# ").partition(". ")
    status = next(line for line in text.splitlines() if line.startswith("Status: "))
    return number, f"[{title}]({file.name})", status.removeprefix("Status: ")


def is_decision(place: PurePosixPath) -> bool:
    return place.parent == FOLDER and place.name != "index.md"
