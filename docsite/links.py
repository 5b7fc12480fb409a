"""Links: written for people who read the files in the repository, rewritten for the site, where files lie elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from docsite.page import Page, SiteError

_FENCE = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?P<image>!?)\[(?P<words>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_BRACKETED_HEADING = re.compile(r"^(#+ )\[([^\]]+)\](?!\()", re.MULTILINE)
"""`## [1.2.0] - 2026-11-28`, as changelogs have them: the brackets are no link."""
_ELSEWHERE = re.compile(r"[a-z]+:|#")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Knows where each file of the repository is in the site.

    Attributes:
        root: the repository.
        places: from files and folders of the repository, relative to `root`, to places in the site.
    """

    root: Path
    places: Mapping[PurePosixPath, PurePosixPath]

    def rewritten(self, page: Page) -> str:
        """The page's Markdown, each link to a file leading to that file's place in the site.

        A link to a file that the site does not have keeps its words and loses its target.

        Raises:
            SiteError: a link leads to no file.
        """
        if page.source is None:
            return page.text
        parts = _FENCE.split(page.text)
        return "".join(part if number % 2 else self._prose(part, page) for number, part in enumerate(parts))

    def _prose(self, text: str, page: Page) -> str:
        return _LINK.sub(lambda link: self._link(link, page), _BRACKETED_HEADING.sub(r"\1\2", text))

    def _link(self, link: re.Match[str], page: Page) -> str:
        if _ELSEWHERE.match(link["target"]):
            return link[0]
        path, hash_, anchor = link["target"].partition("#")
        file = self._file(path, page)
        place = self.places.get(file)
        if place is None:
            return link["words"]
        relative = os.path.relpath(place, page.place.parent)
        return f"{link['image']}[{link['words']}]({relative}{hash_}{anchor})"

    def _file(self, path: str, page: Page) -> PurePosixPath:
        assert page.source is not None
        file = PurePosixPath(os.path.normpath(page.source.parent / path))
        if not (self.root / file).exists():
            raise SiteError(f"{page.source}: a link leads to {path}, which does not exist")
        return file
