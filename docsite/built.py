"""What a built site must be: whole, and free of anything that a reader's browser would fetch from elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from docsite.page import SiteError

_FETCHED: Final = {"script": "src", "img": "src", "iframe": "src", "source": "src"}
_LINKS: Final = {"stylesheet", "preload", "icon", "preconnect", "dns-prefetch", "modulepreload"}


def check(site: Path) -> int:
    """How many pages the site has.

    Raises:
        SiteError: a page fetches something from elsewhere, or names a file that the site does not have, or has one of its
            anchors missing.
    """
    pages = {file.relative_to(site).as_posix(): _Page.of(file) for file in sorted(site.rglob("*.html"))}
    faults = [
        fault for name, page in pages.items() if name != "404.html" for fault in _faults(site, name, page, pages)
    ]
    if faults:
        raise SiteError("\n".join(faults))
    return len(pages)


def _faults(site: Path, name: str, page: _Page, pages: dict[str, _Page]) -> Iterator[str]:
    for target in page.fetched + page.links:
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            if target in page.fetched and parts.scheme != "data":
                yield f"{name}: fetches {target}"
            continue
        path = os.path.normpath(Path(name).parent / unquote(parts.path)) if parts.path else name
        path = "index.html" if path == "." else path
        if not (site / path).is_file():
            yield f"{name}: leads to {target}, which does not exist"
        elif parts.fragment and path in pages and unquote(parts.fragment) not in pages[path].anchors:
            yield f"{name}: leads to {target}, where there is no such place"


class _Page(HTMLParser):
    """What a page of HTML fetches, leads to, and can be led to."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = {""}

    @classmethod
    def of(cls, file: Path) -> _Page:
        page = cls()
        page.feed(file.read_text(encoding="utf-8"))
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value for name, value in attrs if value is not None}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag in _FETCHED and _FETCHED[tag] in attributes:
            self.fetched.append(attributes[_FETCHED[tag]])
        if tag == "link" and _LINKS & set(attributes.get("rel", "").split()):
            self.fetched.append(attributes["href"])
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
