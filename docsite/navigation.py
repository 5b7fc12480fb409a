"""The table of contents: `nav` in zensical.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from docsite.page import SiteError

_ENTRY = "a place, or a title with a place or a list of entries"


def places(configuration: Path) -> list[PurePosixPath]:
    """Every place that the table of contents leads to, in its order."""
    project = tomllib.loads(configuration.read_text(encoding="utf-8"))["project"]
    return [PurePosixPath(place) for place in _flat(project["nav"])]


def _flat(entry: object) -> Iterator[str]:
    match entry:
        case str():
            yield entry
        case list():
            for each in entry:
                yield from _flat(each)
        case dict():
            for each in entry.values():
                yield from _flat(each)
        case _:
            raise SiteError(f"nav: {entry!r} is not {_ENTRY}")


def check(listed: list[PurePosixPath], pages: Iterable[PurePosixPath]) -> None:
    """Raises SiteError unless every page is listed, once, and everything listed is a page."""
    existing = set(pages)
    faults = [f"nav: {place} is listed, and is no page" for place in listed if place not in existing]
    faults += [f"nav: {place} is a page, and is not listed" for place in sorted(existing - set(listed))]
    faults += [f"nav: {place} is listed twice" for place in sorted({p for p in listed if listed.count(p) > 1})]
    if faults:
        raise SiteError("\n".join(faults))
