"""`every_item`: a whole partition, which a directory gives a page at a time."""

from __future__ import annotations

from collections.abc import Iterator

from flowstrand.directory.port import Directory, Item

_PAGE = 100


def every_item(directory: Directory, partition: str, *, after: str = "") -> Iterator[Item]:
    """The items of a partition with a key beyond `after`, in key order; those that come while others are looked at, perhaps.

    Raises:
        StoreUnavailable: one of the pages could not be read; those before it have been given.
    """
    while page := directory.scan(partition, after=after, limit=_PAGE):
        yield from page
        after = page[-1].key
