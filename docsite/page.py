"""A page of the site, and the mistakes that a page can have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath


class SiteError(Exception):
    """What is wrong with the documentation, one thing in each line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Markdown at a place of the site.

    Attributes:
        place: where it is in the site, such as `tutorial/testing.md`.
        text: its Markdown, with links as they are in its source.
        source: the file of the repository that those links are relative to; None where they are already the site's.
    """

    place: PurePosixPath
    text: str
    source: PurePosixPath | None = None
