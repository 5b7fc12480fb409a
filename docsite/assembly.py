"""The site's Markdown, from the repository: what people wrote, and what is read from the code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from docsite import examples, navigation
from docsite.decisions import FOLDER as DECISIONS
from docsite.decisions import decisions_page, is_decision
from docsite.examples import example_pages
from docsite.links import Links
from docsite.page import Page, SiteError
from docsite.reference import reference_pages
from docsite.sources import assets, place_of, written_pages

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = ROOT / "zensical.toml"
PAGES = ROOT / "build" / "docs" / "pages"
SITE = ROOT / "build" / "docs" / "site"


def assembled(root: Path) -> list[Page]:
    """Every page of the site, its links the site's.

    Raises:
        SiteError: links that lead nowhere, or a table of contents that is not that of these pages.
    """
    pages = [*written_pages(root), decisions_page(root), *example_pages(root), *reference_pages(root)]
    listable = [page.place for page in pages if not is_decision(page.place)]
    navigation.check(navigation.places(root / CONFIGURATION.name), listable)
    links = Links(root=root, places=_places(root, pages))
    faults: list[str] = []
    finished: list[Page] = []
    for page in pages:
        try:
            finished.append(replace(page, text=links.rewritten(page)))
        except SiteError as fault:
            faults.append(str(fault))
    if faults:
        raise SiteError("\n".join(faults))
    return finished


def _places(root: Path, pages: list[Page]) -> dict[PurePosixPath, PurePosixPath]:
    places = {page.source: page.place for page in pages if page.source is not None}
    places |= {page.source.parent: page.place for page in pages if page.source and page.source.name == "README.md"}
    places |= {asset: place_of(asset) for asset in assets(root)}
    places[PurePosixPath("docs") / DECISIONS] = DECISIONS / "index.md"
    places[PurePosixPath("template.yaml")] = PurePosixPath("reference/stack.md")
    for name in examples.names(root):
        places |= {
            PurePosixPath("examples", name, file): examples.place_of(name)
            for file in ("", "app.py", f"test_{name}.py")
        }
    return places


def write(root: Path, folder: Path) -> None:
    """Put everything the site is built from into `folder`, and nothing else; what has not changed is left alone."""
    texts = {folder / page.place: page.text.encode() for page in assembled(root)}
    texts |= {folder / place_of(asset): (root / asset).read_bytes() for asset in assets(root)}
    for old in [file for file in folder.rglob("*") if file.is_file() and file not in texts]:
        old.unlink()
    for file, content in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)
