"""The pages that people write: everything in docs/, and the project's own files that those link to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from docsite.page import Page

PROJECT = {
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "bench/README.md": "project/measurements.md",
    "clients/typescript/README.md": "project/typescript.md",
}
"""Files outside docs/ that are pages, too."""

ASSETS = {".css", ".js", ".json", ".svg"}
"""What is copied from docs/ as it is."""


def written_pages(root: Path) -> Iterator[Page]:
    for file in sorted((root / "docs").rglob("*.md")):
        source = PurePosixPath(file.relative_to(root).as_posix())
        yield Page(place=place_of(source), text=file.read_text(encoding="utf-8"), source=source)
    for name, place in PROJECT.items():
        text = (root / name).read_text(encoding="utf-8")
        yield Page(place=PurePosixPath(place), text=text, source=PurePosixPath(name))


def assets(root: Path) -> Iterator[PurePosixPath]:
    """Files below docs/ that pages show or link to, relative to `root`."""
    for file in sorted((root / "docs").rglob("*")):
        if file.suffix in ASSETS:
            yield PurePosixPath(file.relative_to(root).as_posix())


def place_of(source: PurePosixPath) -> PurePosixPath:
    """Where a file of docs/ is in the site: a folder's README is its index."""
    place = source.relative_to("docs")
    return place.with_name("index.md") if place.name == "README.md" else place


def sources(root: Path) -> Iterator[PurePosixPath]:
    """The files that those pages are made of."""
    yield from (
        PurePosixPath(file.relative_to(root).as_posix()) for file in (root / "docs").rglob("*") if file.is_file()
    )
    yield from map(PurePosixPath, PROJECT)
